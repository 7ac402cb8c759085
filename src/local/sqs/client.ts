import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { copiedFast, inProcess, OWN_SETTINGS, unsigned } from '../transport.ts';
import { Sqs } from './sqs.ts';

/**
 * The real SDK client, in front of an SQS in this process: no socket, no credentials, no retries.
 *
 * ```ts
 * const client = createSqsClient();
 * ```
 *
 * @param sqs what answers; by default a new one, that is the client's own
 * @param config more of the SDK's own options
 */
export function createSqsClient(sqs: Sqs = new Sqs(), config: SQSClientConfig = {}): SQSClient {
  const client = new SQSClient({
    ...OWN_SETTINGS,
    region: sqs.region,
    endpoint: 'http://localhost',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: unsigned,
    requestHandler: inProcess(sqs.service),
    // Queue URLs name the address that made them, which another process may know it by.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
    ...config,
  });
  return copiedFast(client);
}
