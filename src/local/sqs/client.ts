import { SQSClient } from '@aws-sdk/client-sqs';
import { inProcess } from '../transport.ts';
import type { Sqs } from './sqs.ts';

/** The real SDK client, in front of an SQS in this process: no socket, no credentials, no retries. */
export function createSqsClient(sqs: Sqs): SQSClient {
  return new SQSClient({
    region: sqs.region,
    endpoint: 'http://localhost',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: inProcess(sqs.service),
    // Queue URLs name the address that made them, which another process may know it by.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
  });
}
