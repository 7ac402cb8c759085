export { createLambdaClient } from './client.ts';
export { EventSource, type EventSourceOptions } from './event-source.ts';
export type { Context, FunctionOptions, Handler } from './function.ts';
export { Lambda, type LambdaOptions } from './lambda.ts';
