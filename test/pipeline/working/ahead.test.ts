import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { inProcess, type Service } from '../../../src/emulator/transport/index.ts';
import { defineTask } from '../../../src/index.ts';
import { chunkBody } from '../../../src/pipeline/messages/chunk.ts';
import { namesOf, newRunId } from '../../../src/pipeline/names.ts';
import { laneQueueUrl } from '../../../src/pipeline/queue-urls.ts';
import { pull } from '../../../src/pipeline/working/poll-loop.ts';
import { Worker } from '../../../src/pipeline/working/worker.ts';
import { TaskRegistry } from '../../../src/task-registry.ts';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A worker of chunks of three inputs each, of which every one takes some milliseconds. */
async function workerOf(chunks: number, ms: number) {
  const sqs = new Sqs();
  const events: string[] = [];
  let taskQueueUrl = '';
  const service: Service = (request) => {
    const isReceive = request.headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage';
    const ofTasks = isReceive && JSON.parse(String(request.body)).QueueUrl === taskQueueUrl;
    if (ofTasks) events.push('receive');
    return sqs.service(request);
  };
  const client = createSqsClient(sqs, { requestHandler: inProcess(service) });
  const names = namesOf('Photos');
  const create = async (QueueName: string, Attributes = {}) =>
    (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  taskQueueUrl = await create(names.tasks);
  await create(names.results);
  await create(names.lanes, { FifoQueue: 'true' });
  expect(laneQueueUrl(taskQueueUrl)).toContain(names.lanes);
  const nap = defineTask({
    name: 'nap',
    async run(input: number) {
      events.push(`begin ${input}`);
      await wait(ms);
      events.push(`end ${input}`);
    },
  });
  for (let first = 0; first < chunks * 3; first += 3) {
    const envelope = { runId: newRunId(), task: 'nap', attempt: 1, results: 'shared' as const };
    const items = [0, 1, 2].map((at) => ({ index: first + at, text: String(first + at) }));
    const MessageBody = chunkBody({ ...envelope, expiresAt: Date.now() + 3_600_000 }, items);
    await client.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody }));
  }
  const stop = new AbortController();
  const worker = new Worker({
    ...{ sqs: client, taskQueueUrl, worker: 'w', sliceSeconds: 60 },
    tasks: TaskRegistry.fromModule({ nap }),
    deadQueueUrl: await create(names.dead),
  });
  const ended = pull({ ...{ sqs: client, taskQueueUrl, signal: stop.signal }, worker });
  const left = () => sqs.peek(names.tasks);
  return { events, left, worker, stop, ended };
}

it('receives the next chunk while the last input of a quick one runs', async () => {
  const { events, left, stop, ended } = await workerOf(2, 20);
  await expect.poll(left).toEqual([]);
  stop.abort();
  await ended;
  expect(events.slice(0, 9)).toEqual([
    ...['receive', 'begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'receive', 'end 2'],
    'begin 3',
  ]);
});

it('receives no chunk that would wait for long', async () => {
  const { events, left, stop, ended } = await workerOf(2, 120);
  await expect.poll(left, { timeout: 5_000 }).toEqual([]);
  stop.abort();
  await ended;
  const second = events.indexOf('receive', 1);
  expect(events.slice(second - 1, second + 2)).toEqual(['end 2', 'receive', 'begin 3']);
});

it('a worker that stops sends a chunk back that it has received ahead', async () => {
  const { events, left, worker, stop, ended } = await workerOf(2, 60);
  await expect.poll(() => events.filter((event) => event === 'receive').length).toBe(2);
  worker.stop();
  stop.abort();
  await ended;
  expect(events.at(-1)).toBe('end 2');
  expect(left()).toMatchObject([{ receiveCount: 0 }]);
});
