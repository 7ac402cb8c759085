import '../../node-version.ts';

export type { Credentials } from '../auth/index.ts';
export { isLoopback } from '../transport/index.ts';
export type { SqsCredentials } from './callers.ts';
export { createSqsClient } from './client.ts';
export type { QueueChange } from './engine/queues.ts';
export type { QueueSetup } from './made-queues.ts';
export type { SqsOptions } from './options.ts';
export { type ServeSqsOptions, type SqsServer, serveSqs } from './server.ts';
export { type PeekedMessage, Sqs } from './sqs.ts';
export { openStore, type Store } from './store/store.ts';
