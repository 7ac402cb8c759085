import { LambdaClient } from '@aws-sdk/client-lambda';
import { inProcess, unsigned } from '../transport.ts';
import type { Lambda } from './lambda.ts';

/** The real SDK client, in front of a Lambda in this process: no socket, no credentials, no retries. */
export function createLambdaClient(lambda: Lambda): LambdaClient {
  return new LambdaClient({
    region: lambda.region,
    endpoint: 'http://localhost',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: unsigned,
    requestHandler: inProcess(lambda.service),
    maxAttempts: 1,
  });
}
