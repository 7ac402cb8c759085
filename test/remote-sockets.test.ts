import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, it, vi } from 'vitest';
import { MOST_POLLS } from '../src/pipeline/collecting/poll-scaler.ts';
import { openStack } from '../src/remote.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('has a socket for each poll of a collector and for the deletions of as many answers', async () => {
  const calls = 2 * MOST_POLLS;
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => {
    waiting.push(response);
    if (waiting.length === calls) for (const one of waiting) one.end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  const world = openStack('Photos');
  const { sqs } = world.deployment;
  const QueueUrl = `http://127.0.0.1:${port}/000000000000/Photos-results`;
  const receive = () => sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  // None is answered until all have arrived.
  await Promise.all(Array.from({ length: calls }, receive));
  expect(waiting).toHaveLength(calls);
  await world.close();
  server.close();
});
