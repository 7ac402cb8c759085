export { createLambdaClient } from './client.ts';
export { EventSource } from './event-source.ts';
export { Lambda } from './lambda.ts';
