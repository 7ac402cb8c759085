export { type BurstResponse, burstHandler } from './handlers/burst.ts';
export { jsonLog } from './handlers/json-log.ts';
export type { HandlerOptions, LambdaContext } from './handlers/place.ts';
export { powertoolsLog } from './handlers/powertools-log.ts';
export { powertoolsMetrics } from './handlers/powertools-metrics.ts';
export { seedHandler } from './handlers/seed.ts';
export { type SeedFromS3, s3Inputs } from './handlers/seed-from-s3.ts';
export type { LogOptions, WatchOptions, WorkerMetrics } from './handlers/watch.ts';
export { type SqsBatchResponse, type SqsEvent, workerHandler } from './handlers/worker.ts';
