export { type BurstResponse, burstHandler } from './handlers/burst.ts';
export type { HandlerOptions, LambdaContext } from './handlers/place.ts';
export { seedHandler } from './handlers/seed.ts';
export { type SqsBatchResponse, type SqsEvent, workerHandler } from './handlers/worker.ts';
