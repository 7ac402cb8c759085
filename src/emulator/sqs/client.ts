import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { copiedFast, inProcess, OWN_SETTINGS, unsigned } from '../transport/index.ts';
import { Sqs } from './sqs.ts';

/**
 * The real SDK client, in front of an SQS in this process: no socket, no credentials, no retries.
 *
 * ```ts
 * const client = createSqsClient();
 * ```
 *
 * @param sqs what answers; by default a new one, that is the client's own
 * @param config more of the SDK's own options. A `region` and `credentials` whose access key id is
 *   an account's id choose whose queues the client sees
 */
export function createSqsClient(sqs: Sqs = new Sqs(), config: SQSClientConfig = {}): SQSClient {
  const client = new SQSClient({
    ...OWN_SETTINGS,
    region: sqs.region,
    endpoint: 'http://localhost',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: config.region || config.credentials ? scoped(config, sqs.region) : unsigned,
    requestHandler: inProcess(sqs.service),
    // Queue URLs name the address that made them, which another process may know it by.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
    ...config,
  });
  return copiedFast(client);
}

/** A signer that says whose request it is, and for which region, without a signature. */
function scoped({ region, credentials }: SQSClientConfig, ownRegion: string) {
  return {
    async sign<Request extends { headers: Record<string, string> }>(request: Request) {
      const { accessKeyId } = (await resolved(credentials)) ?? { accessKeyId: 'local' };
      const scope = `00000000/${(await resolved(region)) ?? ownRegion}/sqs/aws4_request`;
      const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=host, Signature=none`;
      return { ...request, headers: { ...request.headers, authorization } };
    },
  };
}

/** The SDK takes values and functions that give them. */
function resolved<T extends string | object>(given: T | (() => Promise<T>) | undefined) {
  return typeof given === 'function' ? given() : given;
}
