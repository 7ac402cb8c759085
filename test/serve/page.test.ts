import { CreateQueueCommand, ListQueuesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sqsOf } from '../../src/endpoint/clients.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { type Served, serve } from '../../src/serve/serve.ts';
import { PageClient } from '../ui/page-client.ts';

const credentials = { accessKeyId: 'KEY', secretAccessKey: 'a-secret-of-people' };
const runId = newRunId(Date.now() - 60_000);

let served: Served;
let client: PageClient;

beforeAll(async () => {
  const tasks = new URL('../../functions/tasks/index.ts', import.meta.url);
  served = await serve({ tasks, memory: true, port: 0, credentials, onWarning: () => {} });
  client = new PageClient(served.url);
});

afterAll(() => served.close());

it('shows runs only to those who know the secret, and SQS stays as it is', async () => {
  const sqs = sqsOf({ endpoint: served.url, region: served.region, credentials });
  const tags = { task: 'resize', state: 'sealed', total: '7', ok: '2', failed: '1' };
  await sqs.send(new CreateQueueCommand({ QueueName: `fanfold-run-${runId}`, tags }));
  expect((await client.get('/api/runs')).status).toBe(401);
  expect((await client.enter(credentials.secretAccessKey)).status).toBe(204);
  const list = await (await client.get('/api/runs')).json();
  expect(list).toMatchObject({ runs: [{ runId, task: 'resize', ok: 2 }] });
  expect((await client.post(`/api/runs/${runId}/pause`, {})).status).toBe(204);
  const { value } = await client.events(runId).next();
  expect(JSON.parse(value?.data ?? '')).toMatchObject({ state: 'paused', inputs: 7 });
  const { host, port } = new URL(served.url);
  expect(await client.statusWith(host, '/api/runs')).toBe(200);
  expect(await client.statusWith(`evil.example:${port}`, '/api/runs')).toBe(403);
  expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls).not.toEqual([]);
  expect((await client.post('/', {}, { 'x-amz-target': 'AmazonSQS.ListQueues' })).status).toBe(403);
  sqs.destroy();
});

it('accepts the whole join line, and limits guesses', async () => {
  const other = new PageClient(served.url);
  const join = (secret: string) => served.url.replace('//', `//KEY:${secret}@`);
  expect((await other.enter(join(credentials.secretAccessKey))).status).toBe(204);
  expect((await other.enter(join('wrong'))).status).toBe(401);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 120_000);
  for (let guess = 1; guess <= 5; guess++) {
    expect((await other.enter(`guess ${guess}`)).status).toBe(401);
  }
  const limited = await other.enter(credentials.secretAccessKey);
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '60']);
  vi.restoreAllMocks();
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 240_000);
  expect((await other.enter(credentials.secretAccessKey)).status).toBe(204);
  vi.restoreAllMocks();
});
