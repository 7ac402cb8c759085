import { readFileSync } from 'node:fs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { inProcess } from '../../../src/emulator/transport/index.ts';
import type { Deployment } from './deployment.ts';

/** SDK clients of a caller, by default the operator. */
export function clientsOf(deployment: Deployment, caller = deployment.operator) {
  const { place, service, env } = deployment;
  const config = { region: place.region, credentials: caller, maxAttempts: 1 };
  const here = { ...config, endpoint: place.endpoint, requestHandler: inProcess(service) };
  return {
    sqs: new SQSClient(here),
    lambda: new LambdaClient(here),
    // Its bodies are streams, which need a socket.
    s3: new S3Client({
      ...{ ...config, endpoint: place.endpoint },
      // Long bodies would wait by an agent of the SDK's own, without the certificate.
      expectContinueHeader: false,
      requestHandler: { httpsAgent: { ca: readFileSync(env.NODE_EXTRA_CA_CERTS ?? '') } },
    }),
  };
}

/** A function's return value, or its error. */
export async function invoke(
  lambda: LambdaClient,
  FunctionName: string,
  event: unknown = {},
): Promise<{ returned?: unknown; failed?: { errorType: string; errorMessage: string } }> {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }),
  );
  const answer = JSON.parse(Payload?.transformToString() ?? 'null');
  return FunctionError === undefined ? { returned: answer } : { failed: answer };
}
