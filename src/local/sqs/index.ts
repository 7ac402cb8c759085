export { createSqsClient } from './client.ts';
export { type PeekedMessage, Sqs, type SqsOptions } from './sqs.ts';
