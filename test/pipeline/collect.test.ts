import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WaitingSqs } from '../../bench/sqs/waiting.ts';
import { Collector, type Delivery } from '../../src/pipeline/collecting/collect.ts';
import { MOST_POLLS } from '../../src/pipeline/collecting/poll-scaler.ts';
import { ResultDraft } from '../../src/pipeline/messages/result-message.ts';

const QUEUE_URL = 'http://localhost/000000000000/results';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function body(): string {
  const draft = new ResultDraft();
  draft.add(0, '{"index":0,"status":"ok","output":null,"ms":1}', true);
  return draft.body('20270101T000000000-aaaaaaaa', 'worker');
}

/** A collector in front of an SQS that returns so many messages a receive, until `close`. */
function collecting(messages: number) {
  const bodies = Array<string>(messages).fill(body());
  const sqs = new WaitingSqs({ callMs: 60, receive: () => bodies });
  return { sqs, collector: new Collector(sqs.client, QUEUE_URL) };
}

/** Lets time pass, in steps that the SDK's promises can follow. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    await vi.advanceTimersByTimeAsync(10);
    await new Promise(setImmediate);
  }
}

async function end(collector: Collector, taking: Promise<unknown>): Promise<void> {
  collector.close();
  await pass(100);
  await taking;
}

it.each([1, 2, 10])(
  'polls more often the more there is, %i messages a receive',
  async (messages) => {
    const { sqs, collector } = collecting(messages);
    let taken = 0;
    const taking = (async () => {
      for await (const { batches } of collector.deliveries()) taken += batches.length;
    })();
    await pass(5_000);
    expect(sqs.receiving).toBe(MOST_POLLS);
    const before = taken;
    await pass(1_000);
    expect(taken - before).toBeGreaterThan((0.8 * MOST_POLLS * messages * 1_000) / 60);
    await end(collector, taking);
  },
);

it('leaves the results of a slow consumer in the queue', async () => {
  const { sqs, collector } = collecting(10);
  const deliveries = collector.deliveries();
  const first = deliveries.next();
  await pass(200);
  expect((await first).done).toBe(false);
  await pass(10_000);
  expect(sqs.receives).toBeLessThanOrEqual(3);
  await end(collector, deliveries.return());
});

it('deletes messages of several deliveries in one call, and only once they are taken', async () => {
  const { sqs, collector } = collecting(1);
  const deliveries: Delivery[] = [];
  const taking = (async () => {
    for await (const delivery of collector.deliveries()) deliveries.push(delivery);
  })();
  await pass(2_000);
  expect(sqs.deleteCalls).toBe(0);
  for (const delivery of deliveries.splice(0, 25)) collector.acknowledge(delivery);
  await pass(200);
  expect(sqs.deletedMessages).toBe(25);
  expect(sqs.deleteCalls).toBe(3);
  const [last] = deliveries.splice(0);
  if (last) collector.acknowledge(last);
  const settled = collector.settled();
  await pass(70);
  await settled;
  expect(sqs.deletedMessages).toBe(26);
  await end(collector, taking);
});
