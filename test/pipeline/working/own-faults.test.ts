import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { defineTask } from '../../../src/index.ts';
import { chunkBody, cut } from '../../../src/pipeline/messages/chunk.ts';
import { readNotice } from '../../../src/pipeline/messages/notice.ts';
import { readResults } from '../../../src/pipeline/messages/result-message.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { type PullOptions, pull } from '../../../src/pipeline/working/poll-loop.ts';
import { recover } from '../../../src/pipeline/working/recover.ts';
import { Worker, type WorkerOptions } from '../../../src/pipeline/working/worker.ts';
import { TaskRegistry } from '../../../src/task-registry.ts';

const unlucky = defineTask({
  name: 'unlucky',
  backoffBaseSeconds: 0,
  run(input: string, { attempt }) {
    if (input === 'unlucky' && attempt === 1) throw new Error('once');
    return input;
  },
});

let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  vi.restoreAllMocks();
});

/** One chunk of three inputs, and a worker whose client may throw unexpected errors. */
async function chunkOfThree(watch: Partial<WorkerOptions & PullOptions> = {}) {
  const sqs = new Sqs({ strictTiming: false });
  const client = createSqsClient(sqs);
  const broken = createSqsClient(sqs);
  broken.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'SendMessageBatchCommand') throw new TypeError('a fault of our own');
        return next(args);
      },
    { step: 'initialize' },
  );
  const create = async (QueueName: string) =>
    (await client.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? '';
  const taskQueueUrl = await create('own-tasks');
  await create('own-results');
  const deadQueueUrl = await create('own-tasks-dead');
  const runId = newRunId();
  const envelope = { runId, task: 'unlucky', attempt: 1, results: 'shared' as const };
  const texts = ['"a"', '"unlucky"', '"b"'].map((text, index) => ({ index, text }));
  const [chunk = []] = cut(texts, 3);
  const body = chunkBody({ ...envelope, expiresAt: Date.now() + 3_600_000 }, chunk);
  await client.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody: body }));
  const start = (own = client) => {
    const tasks = TaskRegistry.fromModule({ unlucky });
    const to = { sqs: own, taskQueueUrl, deadQueueUrl, ...watch };
    const worker = new Worker({ ...to, tasks, worker: 'w', sliceSeconds: 5 });
    void pull({ ...to, worker, signal: stop.signal });
  };
  const results = () =>
    sqs
      .peek('own-results')
      .filter(({ body }) => readNotice(body, runId) === undefined)
      .flatMap(({ body }) => readResults(body, runId).lines.map(({ text }) => JSON.parse(text)));
  return { ...{ sqs, client, broken, taskQueueUrl, deadQueueUrl, body }, start, results };
}

it('a permanent internal fault ends inputs as Lost within seconds, not at the deadline', async () => {
  const { broken, start, results, sqs } = await chunkOfThree();
  start(broken);
  await expect
    .poll(() => results().filter(({ index }) => index === 1), { timeout: 20_000 })
    .toMatchObject([
      { error: { code: 'Lost', message: expect.stringContaining('a fault of our own') } },
    ]);
  expect(results().filter(({ status }) => status === 'ok')).toHaveLength(2);
  await expect.poll(() => sqs.peek('own-tasks'), { timeout: 5_000 }).toEqual([]);
});

it('an observer has no effect, whatever it throws', async () => {
  const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
  const throws = () => {
    throw new Error('who watches');
  };
  const { start, results, sqs } = await chunkOfThree({
    ...{ onEnded: throws, onTaken: throws, onBegin: throws, onDone: throws, onError: throws },
  });
  start();
  await expect.poll(() => results().map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
  await expect.poll(() => sqs.peek('own-tasks')).toEqual([]);
  expect(shown).toHaveBeenCalledWith(expect.objectContaining({ message: 'who watches' }));
});

it.each(['what it owes can not be sent', 'its message can not be read'])(
  "a dead worker's chunk is visible at once if %s",
  async (what) => {
    const { broken, sqs, taskQueueUrl, body } = await chunkOfThree();
    const { receiptHandle } = await received();
    const unreadable = what.includes('read');
    const recovered = recover({
      ...{ sqs: broken, taskQueueUrl, queueUrl: taskQueueUrl, worker: 'w', receiptHandle },
      body: unreadable ? JSON.stringify({ v: 2, runId: { deep: 1 } }) : body,
      ...{ lastWords: undefined, inSetup: false, cause: 'SIGKILL', overran: false },
      retryOf: () => unlucky,
    });
    if (unreadable) await recovered;
    else await expect(recovered).rejects.toThrow('a fault of our own');
    expect(sqs.peek('own-tasks')).toMatchObject([{ state: 'visible' }]);

    async function received() {
      const { Messages } = await broken.send(new ReceiveMessageCommand({ QueueUrl: taskQueueUrl }));
      return { receiptHandle: Messages?.[0]?.ReceiptHandle ?? '' };
    }
  },
);

it('a forged message with a field nested deep is a dead letter at once', async () => {
  const { client, taskQueueUrl, start, sqs } = await chunkOfThree();
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const MessageBody = `{"v":2,"runId":${deep},"items":[[0,${deep}]]}`;
  await client.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody }));
  start();
  await expect.poll(() => sqs.peek('own-tasks-dead')).toHaveLength(1);
});
