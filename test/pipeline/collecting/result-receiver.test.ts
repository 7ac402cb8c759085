import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MOST_POLLS } from '../../../src/pipeline/collecting/poll-scaler.ts';
import { type Delivery, ResultReceiver } from '../../../src/pipeline/collecting/result-receiver.ts';
import { ResultDraft } from '../../../src/pipeline/messages/result-message.ts';

const CALL_MS = 60;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const RUN_ID = '20270101T000000000-aaaaaaaa';

function body(): string {
  const draft = new ResultDraft();
  draft.add(0, '{"index":0,"status":"ok","output":null,"ms":1}', true);
  return draft.body(RUN_ID, 'worker');
}

/** A collector on an SQS that returns this number of messages per receive, after 60 ms. */
function collecting(messages: number, failsAfter = Number.POSITIVE_INFINITY) {
  const calls = { receives: 0, receiving: 0, deletes: [] as number[] };
  const send = async (command: unknown) => {
    if (command instanceof ReceiveMessageCommand) {
      if (++calls.receives > failsAfter) throw new Error('denied');
      calls.receiving++;
      await new Promise((resolve) => setTimeout(resolve, CALL_MS));
      calls.receiving--;
      return { Messages: Array(messages).fill({ Body: body(), ReceiptHandle: 'handle' }) };
    }
    if (!(command instanceof DeleteMessageBatchCommand)) throw new TypeError(String(command));
    calls.deletes.push(command.input.Entries?.length ?? 0);
    await new Promise((resolve) => setTimeout(resolve, CALL_MS));
    return {};
  };
  // The collector uses nothing else of its client.
  const client = { send } as unknown as SQSClient;
  const collector = new ResultReceiver(client, 'http://localhost/000000000000/results', RUN_ID);
  return { calls, collector };
}

async function end(collector: ResultReceiver, taking: Promise<unknown>): Promise<void> {
  collector.close();
  await vi.advanceTimersByTimeAsync(2 * CALL_MS);
  await taking;
}

it.each([1, 2, 10])(
  'a result receiver polls more often the more results there are, %i messages a receive',
  async (messages) => {
    const { calls, collector } = collecting(messages);
    let taken = 0;
    const taking = (async () => {
      for await (const { batches } of collector.deliveries()) taken += batches.length;
    })();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(calls.receiving).toBe(MOST_POLLS);
    const before = taken;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(taken - before).toBeGreaterThan((0.9 * MOST_POLLS * messages * 1_000) / CALL_MS);
    await end(collector, taking);
  },
);

it('a result receiver leaves the results of a slow consumer in the queue', async () => {
  const { calls, collector } = collecting(10);
  const deliveries = collector.deliveries();
  const first = deliveries.next();
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await first).done).toBe(false);
  expect(calls.receives).toBe(1);
  const second = deliveries.next();
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await second).done).toBe(false);
  expect(calls.receives).toBeLessThanOrEqual(5);
  await end(collector, deliveries.return());
});

it('a result receiver deletes messages of several deliveries in one call once they are acknowledged', async () => {
  const { calls, collector } = collecting(1);
  const deliveries: Delivery[] = [];
  const taking = (async () => {
    for await (const delivery of collector.deliveries()) deliveries.push(delivery);
  })();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(calls.deletes).toEqual([]);
  for (const delivery of deliveries.splice(0, 25)) collector.acknowledge(delivery);
  expect(calls.deletes).toEqual([10, 10]);
  await vi.advanceTimersByTimeAsync(100);
  expect(calls.deletes).toEqual([10, 10, 5]);
  for (const delivery of deliveries.splice(0, 1)) collector.acknowledge(delivery);
  const settled = collector.settled();
  expect(calls.deletes).toEqual([10, 10, 5, 1]);
  await vi.advanceTimersByTimeAsync(CALL_MS);
  await settled;
  await end(collector, taking);
});

it('a result receiver yields the messages of other polls before it fails with the error of one', async () => {
  const { collector } = collecting(10, 20);
  let taken = 0;
  const taking = (async () => {
    for await (const { batches } of collector.deliveries()) taken += batches.length;
  })();
  const failed = expect(taking).rejects.toThrow('denied');
  await vi.advanceTimersByTimeAsync(5_000);
  await failed;
  expect(taken).toBe(200);
});
