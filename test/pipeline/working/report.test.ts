import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { readResults } from '../../../src/pipeline/messages/result-message.ts';
import { Outbox, Report } from '../../../src/pipeline/working/report.ts';

const QUEUE = 'reports';
const EVERY_MS = 100;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A worker's report of one result every 100 ms. */
async function reporting(workers?: number) {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: QUEUE }));
  const outbox = new Outbox(client, { resultQueueUrl: QueueUrl, runId: 'run', workers }, 'worker');
  const report = new Report(outbox, () => {});
  let index = 0;
  return {
    client,
    outbox,
    report,
    /** The number of results in each message. */
    messages: () => sqs.peek(QUEUE).map(({ body }) => readResults(body, 'run').count),
    async results(count: number): Promise<void> {
      for (const end = index + count; index < end; index++) {
        report.add(index, `{"index":${index},"status":"ok","output":null,"ms":1}`, true, 1);
        await vi.advanceTimersByTimeAsync(EVERY_MS);
        await new Promise(setImmediate);
      }
    },
  };
}

it.each([
  [undefined, 500],
  [1, 500],
  [100, 500],
  [200, 1_000],
  [1_000, 5_000],
  [100_000, 30_000],
])(
  'a report waits longer for results the more workers share the run: %s, %i ms',
  async (workers, ms) => {
    const { results, messages } = await reporting(workers);
    await results((2.5 * ms) / EVERY_MS);
    const each = ms / EVERY_MS;
    expect(messages()).toHaveLength(2);
    for (const count of messages()) expect(Math.abs(count - each)).toBeLessThanOrEqual(1);
  },
);

it('a report is sent at the end of a chunk, however many workers there are', async () => {
  const { outbox, report, results, messages } = await reporting(1_000);
  await results(3);
  expect(messages()).toEqual([]);
  outbox.send();
  await report.finish();
  expect(messages()).toEqual([3]);
});

it('a report is sent soon after the end of a chunk, whether or not another follows', async () => {
  const { outbox, results, messages } = await reporting(1_000);
  await results(3);
  outbox.sendSoon();
  await vi.advanceTimersByTimeAsync(10);
  await new Promise(setImmediate);
  expect(messages()).toEqual([3]);
});

it('a report is finished once SQS has accepted all its messages', async () => {
  const { client, outbox, report, results, messages } = await reporting();
  const second = Promise.withResolvers<void>();
  let calls = 0;
  client.middlewareStack.add(
    (next) => async (call) => {
      if (++calls === 2) await second.promise;
      return next(call);
    },
    { step: 'initialize' },
  );
  for (let message = 0; message < 2; message++) {
    await results(1);
    outbox.send();
    await new Promise(setImmediate);
  }
  expect(messages()).toEqual([1]);
  const finished = vi.fn();
  const finishing = report.finish().then(finished);
  await new Promise(setImmediate);
  expect(finished).not.toHaveBeenCalled();
  second.resolve();
  await finishing;
  expect(messages()).toEqual([1, 1]);
});
