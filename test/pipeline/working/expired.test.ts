import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { defineTask } from '../../../src/index.ts';
import { chunkBody } from '../../../src/pipeline/messages/chunk.ts';
import { namesOf, newRunId } from '../../../src/pipeline/names.ts';
import { Claim } from '../../../src/pipeline/working/claim.ts';
import { Worker } from '../../../src/pipeline/working/worker.ts';
import { Stopwatch } from '../../../src/stopwatch.ts';
import { TaskRegistry } from '../../../src/task-registry.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A worker with a task that notes the inputs that it runs, and what handles a message with one. */
async function noting() {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  const names = namesOf('Photos');
  const create = async (QueueName: string) =>
    (await client.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? '';
  const taskQueueUrl = await create(names.tasks);
  await create(names.results);
  const ran: number[] = [];
  const note = defineTask({ name: 'note', run: (_: null, { index }) => ran.push(index) });
  const worker = new Worker({
    ...{ sqs: client, taskQueueUrl, worker: 'w', sliceSeconds: 60 },
    tasks: TaskRegistry.fromModule({ note }),
    deadQueueUrl: await create(names.dead),
  });
  const handled = (index: number, expiresAt: number, receiveCount = 1) => {
    const envelope = { runId: newRunId(), task: 'note', attempt: 1, results: 'shared' as const };
    const body = chunkBody({ ...envelope, expiresAt }, [{ index, text: 'null' }]);
    const sinceReceive = new Stopwatch();
    const receiptHandle = 'r';
    const claim = new Claim({ sqs: client, queueUrl: taskQueueUrl, receiptHandle, sinceReceive });
    return worker.handle({ id: 'm', body, receiptHandle, receiveCount }, { claim });
  };
  return { sqs, client, names, ran, handled };
}

it('a worker drops a chunk whose deadline has passed, and runs one whose deadline is near', async () => {
  const { sqs, names, ran, handled } = await noting();
  expect(await handled(0, Date.now() - 1_000)).toBe('done');
  expect(await handled(1, Date.now() + 60_000)).toBe('done');
  expect(ran).toEqual([1]);
  expect(sqs.peek(names.results)).toHaveLength(1);
});

it('a worker does not begin an input if its claim has ended while it announced it', async () => {
  vi.useFakeTimers();
  const { sqs, client, names, ran, handled } = await noting();
  client.middlewareStack.add((next, { commandName }) => async (args) => {
    if (commandName === 'SendMessageBatchCommand') vi.advanceTimersByTime(130_000);
    return next(args);
  });
  expect(await handled(0, Date.now() + 3_600_000, 2)).toBe('keep');
  expect(ran).toEqual([]);
  expect(sqs.peek(names.results).map(({ body }) => JSON.parse(body))).toMatchObject([
    { notice: 'begun', index: 0 },
  ]);
});
