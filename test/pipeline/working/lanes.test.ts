import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import type { Chunk } from '../../../src/pipeline/messages/chunk.ts';
import { type Flow, slotOf } from '../../../src/pipeline/messages/flow.ts';
import { type RunControl, RunQueues } from '../../../src/pipeline/run/run-queues.ts';
import type { Claim } from '../../../src/pipeline/working/claim.ts';
import { routeOf } from '../../../src/pipeline/working/lanes.ts';
import { paceOf } from '../../../src/pipeline/working/pace.ts';

const flow = { lanes: 2, rate: '6/m' } as const;
const SPACING_MS = 10_300;
const NOW = 1_700_000_000_000;

beforeEach(() => {
  vi.spyOn(Date, 'now').mockReturnValue(NOW);
  vi.spyOn(performance, 'now').mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Milliseconds from now until a lane may start next, after some time. */
function nextStart(lane: number, afterMs = 0): number {
  return slotOf(flow, lane, NOW + afterMs).at - NOW;
}

/** The decision on a message in a slow lane some time before it may start, and its seconds hidden. */
async function routed(beforeMs: number, more: Partial<RunControl> = {}, receiveCount = 1) {
  vi.mocked(Date.now).mockReturnValue(NOW + nextStart(1) - beforeMs);
  const hidden: number[] = [];
  const chunk: Chunk = {
    ...{ runId: 'run', task: 'work', attempt: 1, expiresAt: NOW + 9e6, results: 'own' },
    ...{ resultQueueUrl: '', flow, items: [{ index: 0, text: '1', value: 1 }] },
  };
  const message = { id: 'm', body: '', receiptHandle: '', receiveCount, group: 'run.1' };
  const claim = { hide: async (seconds: number) => void hidden.push(seconds) } as Partial<Claim>;
  const sqs = new SQSClient({});
  const queue = { sqs, taskQueueUrl: 'http://localhost/0/it-tasks' };
  const control = { paused: false, ...more };
  const from = { message, chunk, control, claim: claim as Claim, runs: new RunQueues(sqs) };
  return { route: await routeOf(queue, from), hidden };
}

it('the times at which slow lanes may start are one pause apart', () => {
  const times = [0, 1].flatMap((lane) => [0, 20_600].map((ms) => nextStart(lane, ms)));
  const [first = 0, ...others] = times.sort((one, other) => one - other);
  for (const [at, time] of others.entries())
    expect(time - first).toBeCloseTo((at + 1) * SPACING_MS);
  expect(first).toBeGreaterThanOrEqual(0);
  expect(first).toBeLessThanOrEqual(SPACING_MS);
});

it('a chunk of a slow lane is hidden for ten seconds at most, until it may start', async () => {
  expect(await routed(20_000)).toEqual({ route: 'keep', hidden: [10] });
  expect(await routed(5_000)).toEqual({ route: 'keep', hidden: [3] });
  const { route, hidden } = await routed(1_000, {}, 3);
  expect(hidden).toEqual([]);
  expect(route).toEqual({
    bounded: { flow, lane: 1, startsAt: expect.closeTo(1_000) },
    redelivered: true,
  });
});

it('new lanes start one pause after those before them', async () => {
  const at = NOW + nextStart(1);
  expect(await routed(1_000, { lanesFrom: at - SPACING_MS - 1 })).toMatchObject({ hidden: [] });
  expect(await routed(1_000, { lanesFrom: at - SPACING_MS + 1 })).toMatchObject({ hidden: [10] });
});

it('a start that a slow lane has missed is left out', () => {
  const now = vi.mocked(performance.now);
  const pace = paceOf({ flow, lane: 1, startsAt: 1_000 });
  expect(pace?.waitMs).toBe(1_000);
  now.mockReturnValue(3_000);
  expect(pace?.waitMs).toBe(0);
  now.mockReturnValue(3_001);
  expect(pace?.waitMs).toBeCloseTo(2 * SPACING_MS - 2_001);
});

it('nothing starts in a lane before it is known what was set for the run', async () => {
  const unread = new Error('throttled');
  await expect(routed(1_000, { unread })).rejects.toBe(unread);
});

/** Where a chunk goes that arrives in the task queue: the inputs of each message, by queue. */
async function moved(indexes: number[], before: Flow, control: Partial<RunControl>) {
  const engine = new Sqs();
  const sqs = createSqsClient(engine);
  const fifo = { FifoQueue: 'true' };
  const tasks = await sqs.send(new CreateQueueCommand({ QueueName: 'it-tasks' }));
  await sqs.send(new CreateQueueCommand({ QueueName: 'it-lanes.fifo', Attributes: fifo }));
  const { QueueUrl: taskQueueUrl = '' } = tasks;
  const items = indexes.map((index) => ({ index, text: '1', value: 1 }));
  const chunk: Chunk = {
    ...{ runId: 'run', task: 'work', attempt: 1, expiresAt: NOW + 9e6, results: 'own' },
    ...{ resultQueueUrl: '', flow: before, items, turn: 0 },
  };
  const message = { id: 'm', body: '', receiptHandle: '', receiveCount: 1, group: undefined };
  const routed = {
    message,
    chunk,
    control: { paused: false, ...control },
    claim: {} as Claim,
    runs: new RunQueues(sqs),
  };
  expect(await routeOf({ sqs, taskQueueUrl }, routed)).toBe('done');
  const inQueue = (queue: string) =>
    engine.peek(queue).map(({ body }) => {
      const sent = JSON.parse(body) as { items: [number][] };
      return sent.items.map(([index]) => index);
    });
  return { tasks: inQueue('it-tasks'), lanes: inQueue('it-lanes.fifo') };
}

const one: Flow = { lanes: 1, rate: '30/m' };
const two: Flow = { lanes: 2, rate: '60/m', since: 1 };

it('a chunk enters new lanes once all workers know of them', async () => {
  const early = { flow: two, lanesFrom: NOW + 5_000 };
  expect(await moved([0], one, early)).toEqual({ tasks: [[0]], lanes: [] });
  const inTime = { flow: two, lanesFrom: NOW - 1 };
  expect(await moved([0], one, inTime)).toEqual({ tasks: [], lanes: [[0]] });
});

it('more lanes share a chunk that was cut for few', async () => {
  const { lanes } = await moved([0, 1, 2, 3], one, { flow: two });
  expect(lanes).toEqual([
    [0, 1],
    [2, 3],
  ]);
});
