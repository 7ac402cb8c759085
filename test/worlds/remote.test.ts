import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { MOST_POLLS } from '../../src/pipeline/collecting/poll-scaler.ts';
import { openStack } from '../../src/worlds/remote.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A server in place of AWS. It has every queue that is requested. */
async function aws(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request: IncomingMessage, response) => {
    if (request.headers['x-amz-target'] !== 'AmazonSQS.GetQueueUrl') return answer(response);
    response.end('{"QueueUrl":"http://127.0.0.1/000000000000/any"}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  return `http://127.0.0.1:${port}`;
}

/** A stack's clients. */
async function opened() {
  const world = await openStack('Photos');
  onTestFinished(() => world.close());
  return world.deployment;
}

it('a remote world has a socket for each poll of a collector and for the deletions of as many deliveries', async () => {
  const calls = 2 * MOST_POLLS;
  const waiting: ServerResponse[] = [];
  const url = await aws((response) => {
    waiting.push(response);
    if (waiting.length === calls) for (const one of waiting) one.end('{}');
  });
  const { sqs } = await opened();
  const QueueUrl = `${url}/000000000000/Photos-results`;
  const receive = () => sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  // None is answered until all have arrived.
  await Promise.all(Array.from({ length: calls }, receive));
  expect(waiting).toHaveLength(calls);
});

it('a remote world sends only to AWS, whatever host the URL of a queue names', async () => {
  let received = 0;
  await aws((response) => {
    received++;
    response.end('{}');
  });
  const { sqs } = await opened();
  const QueueUrl = 'http://evil.invalid/000000000000/Photos-results';
  await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(received).toBe(1);
});

it('a remote world limits the wait for a connection and for a response', async () => {
  await aws((response) => response.end('{}'));
  const { sqs, lambda } = await opened();
  // The SDK reads its settings for the first request.
  await lambda.send(new InvokeCommand({ FunctionName: 'Photos-seed' }));
  for (const { requestHandler } of [sqs.config, lambda.config]) {
    expect(settingsOf(requestHandler)).toMatchObject({
      connectionTimeout: 8_000,
      requestTimeout: expect.any(Number),
      throwOnRequestTimeout: true,
    });
  }
});

function settingsOf(handler: object): unknown {
  return 'httpHandlerConfigs' in handler && typeof handler.httpHandlerConfigs === 'function'
    ? handler.httpHandlerConfigs()
    : undefined;
}
