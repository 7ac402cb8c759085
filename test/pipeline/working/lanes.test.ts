import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import type { Chunk } from '../../../src/pipeline/messages/chunk.ts';
import { type Flow, slotOf } from '../../../src/pipeline/messages/flow.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { type RunControl, RunQueues } from '../../../src/pipeline/run/run-queues.ts';
import type { Claim } from '../../../src/pipeline/working/claim.ts';
import { type Route, routeOf } from '../../../src/pipeline/working/lanes.ts';
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
async function routed(
  beforeMs: number,
  more: Partial<RunControl> = {},
  receiveCount = 1,
  { runId = 'run', opens = false, bounds = flow as Flow } = {},
) {
  vi.mocked(Date.now).mockReturnValue(NOW + nextStart(1) - beforeMs);
  const hidden: number[] = [];
  const chunk: Chunk = {
    ...{ runId, task: 'work', attempt: 1, expiresAt: NOW + 9e6, results: 'own', opens },
    ...{ resultQueueUrl: '', flow: bounds, items: [{ index: 0, text: '1', value: 1 }] },
  };
  const message = { id: 'm', body: '', receiptHandle: '', receiveCount, group: `${runId}.1` };
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

/** A run that began some time before these messages are received. */
const bornBefore = (ms: number) => newRunId(Math.floor(NOW + nextStart(1) - 1_000 - ms));

it('the first chunk of a slow lane may be late, but only once and for a part of the window', async () => {
  const opening = async (ms: number, receiveCount = 1, more: Partial<RunControl> = {}) => {
    const from = { runId: bornBefore(ms), opens: true };
    const { route, hidden } = await routed(1_000, more, receiveCount, from);
    return hidden.length > 0 ? 'hidden' : (route as Route).bounded?.startsAt;
  };
  const windowMs = 600_000;
  expect(await opening(SPACING_MS - 500)).toBeCloseTo(500, -1);
  expect(await opening(SPACING_MS + 0.015 * windowMs)).toBe(0);
  expect(await opening(SPACING_MS + 0.0201 * windowMs)).toBe('hidden');
  expect(await opening(SPACING_MS + 5_000, 2)).toBe('hidden');
  const changed = { lanesFrom: NOW - 1e6 };
  expect(await opening(SPACING_MS + 5_000, 1, changed)).toBe('hidden');
});

it('the first chunk of a lane starts without a pause, unless another one may have made its', async () => {
  const bounds: Flow = { lanes: 5, rate: '1/s' };
  const firstMs = async (ms: number, receiveCount = 1) => {
    const from = { runId: bornBefore(ms), opens: true, bounds };
    const { route } = await routed(1_000, {}, receiveCount, from);
    return (route as Route).bounded?.firstMs;
  };
  expect(await firstMs(500)).toBeCloseTo(530, -1);
  expect(await firstMs(2_000)).toBe(0);
  expect(await firstMs(3_000)).toBe(undefined);
  expect(await firstMs(500, 2)).toBe(undefined);
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
async function moved(indexes: number[], before: Flow, control: Partial<RunControl>, attempt = 1) {
  const engine = new Sqs();
  const sqs = createSqsClient(engine);
  const fifo = { FifoQueue: 'true' };
  const tasks = await sqs.send(new CreateQueueCommand({ QueueName: 'it-tasks' }));
  await sqs.send(new CreateQueueCommand({ QueueName: 'it-lanes.fifo', Attributes: fifo }));
  const { QueueUrl: taskQueueUrl = '' } = tasks;
  const items = indexes.map((index) => ({ index, text: '1', value: 1 }));
  const chunk: Chunk = {
    ...{ runId: 'run', task: 'work', attempt, expiresAt: NOW + 9e6, results: 'own' },
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

it('a further attempt enters a lane too', async () => {
  expect(await moved([0], one, {}, 2)).toEqual({ tasks: [], lanes: [[0]] });
});

it('more lanes share a chunk that was cut for few', async () => {
  const { lanes } = await moved([0, 1, 2, 3], one, { flow: two });
  expect(lanes).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

it('a copy of the first chunk of a lane is dropped, unless it was sent on before', async () => {
  const engine = new Sqs();
  const sqs = createSqsClient(engine);
  const fifo = { FifoQueue: 'true' };
  await sqs.send(new CreateQueueCommand({ QueueName: 'it-lanes.fifo', Attributes: fifo }));
  const runId = newRunId(NOW);
  const move = async (opens: boolean) => {
    const chunk: Chunk = {
      ...{ runId, task: 'work', attempt: 1, expiresAt: NOW + 9e6, results: 'own', opens },
      ...{ resultQueueUrl: '', flow: one, items: [{ index: 0, text: '1', value: 1 }], turn: 0 },
    };
    const message = { id: 'm', body: '', receiptHandle: '', receiveCount: 1, group: undefined };
    const control = { paused: false };
    const claim = {} as Claim;
    const queue = { sqs, taskQueueUrl: 'http://localhost/000000000000/it-tasks' };
    await routeOf(queue, { message, chunk, control, claim, runs: new RunQueues(sqs) });
    return engine.peek('it-lanes.fifo').map(({ body }) => JSON.parse(body).opens ?? false);
  };
  expect(await move(true)).toEqual([true]);
  expect(await move(true)).toEqual([true]);
  expect(await move(false)).toEqual([true, false]);
});
