import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { copiedFast, inProcess, OWN_SETTINGS, unsigned } from '../transport/index.ts';
import type { Lambda } from './lambda.ts';

/**
 * The real SDK client for a Lambda in this process: no socket, no credentials, no retries.
 *
 * @param config more options of the SDK
 */
export function createLambdaClient(lambda: Lambda, config: LambdaClientConfig = {}): LambdaClient {
  const client = new LambdaClient({
    ...OWN_SETTINGS,
    region: lambda.region,
    endpoint: 'http://localhost',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: unsigned,
    requestHandler: inProcess(lambda.service),
    maxAttempts: 1,
    ...config,
  });
  return copiedFast(client);
}
