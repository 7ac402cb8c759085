import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { defineTask } from '../../../src/index.ts';
import { chunkBody, cut } from '../../../src/pipeline/messages/chunk.ts';
import { readNotice } from '../../../src/pipeline/messages/notice.ts';
import { readResults } from '../../../src/pipeline/messages/result-message.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { pull } from '../../../src/pipeline/working/poll-loop.ts';
import type { TaskMessage } from '../../../src/pipeline/working/task-message.ts';
import { Worker } from '../../../src/pipeline/working/worker.ts';
import { TaskRegistry } from '../../../src/task-registry.ts';

/** Large enough that the duration of one chunk predicts that of the next ones. */
const LONG = 'x'.repeat(12_000);

const sqs = new Sqs({ strictTiming: false });
const client = createSqsClient(sqs);
const calls: string[] = [];
client.middlewareStack.add(
  (next, context) => (args) => {
    calls.push(String(context.commandName));
    return next(args);
  },
  { step: 'initialize' },
);
const count = (command: string) => calls.filter((name) => name === command).length;

let number = 0;
let stop: AbortController;
let gate: PromiseWithResolvers<void>;
let begun: number[];

beforeEach(() => {
  stop = new AbortController();
  gate = Promise.withResolvers();
  begun = [];
  calls.length = 0;
});
afterEach(() => {
  stop.abort();
  gate.resolve();
});

const gated = defineTask({
  name: 'gated',
  run: async (input: string, { index }) => {
    begun.push(index);
    if (input.startsWith('slow')) await gate.promise;
    return index;
  },
});

/**
 * Queues with the inputs in chunks, and a worker that receives them.
 *
 * @param runIds runs that the chunks belong to, in turn
 * @param received whether a worker received each chunk before and never reported
 */
async function queues(
  inputs: readonly string[],
  { chunkItems = 1, received = false, runIds = [newRunId()] } = {},
) {
  const prefix = `pull-${++number}`;
  const create = async (QueueName: string) =>
    (await client.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? '';
  const taskQueueUrl = await create(`${prefix}-tasks`);
  await create(`${prefix}-results`);
  const deadQueueUrl = await create(`${prefix}-tasks-dead`);
  const expiresAt = Date.now() + 3_600_000;
  const envelope = { task: 'gated', attempt: 1, expiresAt, results: 'shared' as const };
  const items = inputs.map((input, index) => ({ index, text: JSON.stringify(input) }));
  for (const [number, chunk] of cut(items, chunkItems).entries()) {
    const runId = runIds[number % runIds.length] ?? '';
    const MessageBody = chunkBody({ ...envelope, runId }, chunk);
    await client.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody }));
    if (!received) continue;
    const once = { QueueUrl: taskQueueUrl, VisibilityTimeout: 0 };
    await client.send(new ReceiveMessageCommand(once));
  }
  const worker = new Worker({
    sqs: client as SQSClient,
    tasks: TaskRegistry.fromModule({ gated }),
    taskQueueUrl,
    deadQueueUrl,
    worker: 'w',
    sliceSeconds: 5,
  });
  const inHand = new Map<string, TaskMessage>();
  const bodies = () => sqs.peek(`${prefix}-results`).map(({ body }) => body);
  const pulling = pull({
    sqs: client,
    taskQueueUrl,
    worker,
    signal: stop.signal,
    onTaken: (messages) => {
      for (const message of messages) inHand.set(message.receiptHandle, message);
    },
    onDone: (messages) => {
      for (const { receiptHandle } of messages) inHand.delete(receiptHandle);
    },
  });
  return {
    worker,
    pulling,
    inHand,
    waiting: () => sqs.peek(`${prefix}-tasks`).filter(({ state }) => state === 'visible').length,
    queued: () => sqs.peek(`${prefix}-tasks`).length,
    results: () =>
      bodies()
        .filter((body) => readNotice(body, runIdOf(body)) === undefined)
        .flatMap((body) => readResults(body, runIdOf(body)).lines.map(({ index }) => index))
        .sort((a, b) => a - b),
    /** The run and the indexes of each message of results. */
    messages: () =>
      bodies().map((body) => ({
        runId: runIdOf(body),
        indexes: readResults(body, runIdOf(body)).lines.map(({ index }) => index),
      })),
    notices: () => bodies().flatMap((body) => readNotice(body, runIdOf(body)) ?? []),
  };
}

const runIdOf = (body: string) => (JSON.parse(body) as { runId: string }).runId;
const range = (length: number) => Array.from({ length }, (_, index) => index);

describe('a worker that pulls chunks', () => {
  it('separates the results of runs that report to one queue', async () => {
    const runIds = [newRunId(), newRunId()];
    const { results, messages } = await queues(Array(60).fill(LONG), { runIds });
    await expect.poll(results).toEqual(range(60));
    for (const { runId, indexes } of messages()) {
      expect(indexes.map((index) => runIds[index % 2])).toEqual(indexes.map(() => runId));
    }
  });

  it('receives several quick chunks at a time, and reports and deletes them together', async () => {
    const { results, queued, inHand } = await queues(Array(60).fill(LONG));
    calls.length = 0;
    await expect.poll(results).toEqual(range(60));
    await expect.poll(queued).toBe(0);
    expect(count('ReceiveMessageCommand')).toBeLessThan(40);
    expect(count('DeleteMessageBatchCommand')).toBeLessThan(40);
    expect(count('SendMessageCommand')).toBeLessThan(40);
    await expect.poll(() => inHand.size).toBe(0);
  });

  it('receives at most twice as many as the last quick ones', async () => {
    const { results } = await queues(Array(20).fill('x'));
    calls.length = 0;
    await expect.poll(results).toEqual(range(20));
    // 1, 2, 4, 8, and the rest.
    expect(count('ReceiveMessageCommand')).toBeGreaterThanOrEqual(5);
    expect(count('ReceiveMessageCommand')).toBeLessThan(15);
  });

  it('sends back the chunks that wait behind a slow one', async () => {
    const inputs = [LONG, LONG, `slow ${LONG}`, LONG, LONG, LONG];
    const { results, waiting, queued } = await queues(inputs);
    await expect.poll(() => begun).toContain(2);
    // The quick ones' results do not wait for it either.
    await expect.poll(waiting, { timeout: 3_000 }).toBe(3);
    await expect.poll(results, { timeout: 3_000 }).toEqual([0, 1]);
    expect(begun).toEqual([0, 1, 2]);
    gate.resolve();
    await expect.poll(results).toEqual(range(6));
    await expect.poll(queued).toBe(0);
  });

  it('cuts a redelivered chunk in ten, so that an item that kills is found', async () => {
    const inputs = Array(40).fill('x').with(17, 'slow');
    const { results, waiting } = await queues(inputs, { chunkItems: 40, received: true });
    await expect.poll(() => begun).toContain(17);
    // Of four in each part, those behind the slow one and in later parts wait.
    expect(begun).toEqual(range(18));
    // Chunks that were received with the slow one are sent back.
    await expect.poll(waiting).toBe(5);
    gate.resolve();
    await expect.poll(results).toEqual(range(40));
  });

  it('sends a notice before it runs a single redelivered item', async () => {
    const { results, notices } = await queues(['x', 'y'], { received: true });
    await expect.poll(results).toEqual([0, 1]);
    const notice = { notice: 'begun', worker: 'w', attempt: 1 };
    expect(notices()).toMatchObject([
      { ...notice, index: 0 },
      { ...notice, index: 1 },
    ]);
    // By then its outcome has been reported, and not only its attempt has ended.
    for (const sent of notices()) {
      const { at = 0, until = 0 } = sent.notice === 'begun' ? sent : {};
      expect(until - at).toBeGreaterThan((gated.timeoutSeconds + 20) * 1_000);
    }
  });

  it('sends no notice for a first delivery', async () => {
    const { results, notices } = await queues(['x']);
    await expect.poll(results).toEqual([0]);
    expect(notices()).toEqual([]);
  });

  it('sends back items that have not started when it is stopped', async () => {
    const inputs = [LONG, LONG, `slow ${LONG}`, LONG, LONG, LONG];
    const { worker, pulling, results, waiting, inHand } = await queues(inputs);
    await expect.poll(() => begun).toContain(2);
    stop.abort();
    worker.stop();
    gate.resolve();
    await pulling;
    expect(begun).toEqual([0, 1, 2]);
    expect(results()).toEqual([0, 1, 2]);
    expect(waiting()).toBe(3);
    expect(inHand.size).toBe(0);
  });
});
