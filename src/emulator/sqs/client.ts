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
 * @param sqs the SQS that answers; by default a new one, for this client only
 * @param config more options of the SDK. A `region`, and `credentials` whose access key id is an
 *   account id, choose the queues that the client sees
 */
export function createSqsClient(sqs: Sqs = new Sqs(), config: SQSClientConfig = {}): SQSClient {
  const client = new SQSClient({
    ...OWN_SETTINGS,
    region: sqs.region,
    endpoint: 'http://localhost',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: config.region || config.credentials ? scoped(config, sqs.region) : unsigned,
    requestHandler: inProcess(sqs.service),
    // A queue URL has the address that it was requested at, which may be another process's.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
    ...config,
  });
  return copiedFast(client);
}

/** A signer that names the caller and the region, without a real signature. */
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

/** The SDK takes values, and functions that return them. */
function resolved<T extends string | object>(given: T | (() => Promise<T>) | undefined) {
  return typeof given === 'function' ? given() : given;
}
