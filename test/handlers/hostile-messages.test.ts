import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateQueueCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { serveSqs } from '../../src/emulator/sqs/index.ts';
import { burstHandler } from '../../src/handlers/burst.ts';
import { workerHandler } from '../../src/handlers/worker.ts';
import { defineTask } from '../../src/index.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { TASKS } from '../cli/command.ts';
import { aUser, begin } from '../cli/serving.ts';

// The clients are those that a deployment makes, from the environment: they meet an SQS at one port,
// and any other host that they could be led to is a server at another, which counts its callers.

aUser();

const foreign = createServer((request, response) => {
  calls.push(`${request.method} ${request.url}`);
  response.end('{}');
});
let connections = 0;
let calls: string[] = [];
foreign.on('connection', () => {
  connections++;
});
await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
const evil = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
const server = await serveSqs();
const sqs = new SQSClient({
  endpoint: server.url,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});
afterAll(async () => {
  await server.close();
  foreign.close();
});

let deployments = 0;
let name: string;
const url = (suffix: string) => `${server.url}/000000000000/${name}-${suffix}`;

beforeEach(async () => {
  name = `Hostile${++deployments}`;
  connections = 0;
  calls = [];
  for (const suffix of ['tasks', 'tasks-dead', 'results']) {
    await sqs.send(new CreateQueueCommand({ QueueName: `${name}-${suffix}` }));
  }
  vi.stubEnv('AWS_ENDPOINT_URL_SQS', server.url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_SESSION_TOKEN', 'secret-token');
});

/** A task message for each way to name a foreign host, and a valid one. */
function messages() {
  const runId = newRunId();
  const expiresAt = Date.now() + 3_600_000;
  const chunk = { v: 1, runId, task: 'same', attempt: 1, expiresAt, items: [[0, 'secret']] };
  const good = { ...chunk, v: 2, results: 'shared', items: [[7, 'good']] };
  const hostile = [
    `${evil}/000000000000/${name}-results`,
    `${evil}/1/${name}-results`,
    `${evil}/000000000000/${name}-run-${runId}`,
    `${evil}/${name}-results`,
    `${server.url}/1/Other-results`,
    evil,
  ].map((resultQueueUrl) => JSON.stringify({ ...chunk, resultQueueUrl }));
  const ignored = JSON.stringify({ ...good, resultQueueUrl: `${evil}/1/${name}-results` });
  return { hostile, good: [JSON.stringify(good), ignored] };
}

async function send(bodies: readonly string[]): Promise<void> {
  for (const MessageBody of bodies) {
    await sqs.send(new SendMessageCommand({ QueueUrl: url('tasks'), MessageBody }));
  }
}

const bodiesOf = (suffix: string) => server.sqs.peek(`${name}-${suffix}`).map(({ body }) => body);

/** Both valid messages have their results, the hostile ones are dead letters, and no foreign host was called. */
async function expectSafe({ hostile }: ReturnType<typeof messages>): Promise<void> {
  await expect.poll(() => bodiesOf('tasks-dead').length, { timeout: 20_000 }).toBe(hostile.length);
  expect(bodiesOf('tasks-dead').sort()).toEqual(hostile.toSorted());
  const outputs = () =>
    bodiesOf('results').flatMap((body) =>
      JSON.parse(body).results.map((one: Result) => one.output),
    );
  await expect.poll(outputs, { timeout: 20_000 }).toEqual(['good', 'good']);
  expect(calls).toEqual([]);
  expect(connections).toBe(0);
}

interface Result {
  output: unknown;
}

const same = defineTask({ name: 'same', run: (input: unknown) => input });
const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 900_000 };

describe('a task message that sends results to another host', () => {
  it('is a dead letter to a worker function', async () => {
    const sent = messages();
    await send([...sent.hostile, ...sent.good]);
    const handler = workerHandler({ same }, { name });
    for (let received: Message[] | undefined; ; ) {
      const receive = new ReceiveMessageCommand({
        QueueUrl: url('tasks'),
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      });
      received = (await sqs.send(receive)).Messages;
      if (received === undefined) break;
      const Records = received.map((message) => ({
        messageId: message.MessageId,
        receiptHandle: message.ReceiptHandle,
        body: message.Body,
        attributes: message.Attributes,
      }));
      expect(await handler({ Records }, context)).toEqual({ batchItemFailures: [] });
    }
    await expectSafe(sent);
  });

  it('is a dead letter to a burst worker', async () => {
    const sent = messages();
    await send([...sent.hostile, ...sent.good]);
    const chunks = sent.hostile.length + sent.good.length;
    expect(await burstHandler({ same }, { name })({ hop: 0 }, context)).toMatchObject({ chunks });
    await expectSafe(sent);
  });

  it('is a dead letter to a machine that works for the stack', async () => {
    const sent = messages();
    await send([...sent.hostile, ...sent.good]);
    const worker = begin(['work', '--stack', name, '--tasks', TASKS, '--workers', '1']);
    await expectSafe(sent);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ status: 0 });
  });
});
