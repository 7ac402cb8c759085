import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import type { Chunk } from '../../../src/pipeline/messages/chunk.ts';
import type { Flow } from '../../../src/pipeline/messages/flow.ts';
import type { RunControl } from '../../../src/pipeline/run/run-queues.ts';
import type { Claim } from '../../../src/pipeline/working/claim.ts';
import { routeOf } from '../../../src/pipeline/working/lanes.ts';

const flow = { lanes: 2, rate: '6/m' } as const;
const PAUSE_MS = 20_600;

/** What becomes of a message in a slow lane, and the seconds for which it is hidden. */
async function routed(receiveCount: number, waitedMs: number, more: Partial<RunControl> = {}) {
  const hidden: number[] = [];
  const chunk: Chunk = {
    ...{ runId: 'run', task: 'work', attempt: 1, expiresAt: Date.now() + 60_000, results: 'own' },
    ...{ resultQueueUrl: '', flow, items: [{ index: 0, text: '1', value: 1 }] },
  };
  const message = {
    ...{ id: 'm', body: '', receiptHandle: '', receiveCount, group: 'run.1' },
    firstReceivedAt: Date.now() - waitedMs,
  };
  const claim = { hide: async (seconds: number) => void hidden.push(seconds) } as Partial<Claim>;
  const queue = { sqs: new SQSClient({}), taskQueueUrl: 'http://localhost/0/it-tasks' };
  const control = { paused: false, ...more };
  const route = await routeOf(queue, { message, chunk, control, claim: claim as Claim });
  return { route, hidden };
}

const startsAs = (redelivered: boolean) => ({ bounded: { flow, lane: 1 }, redelivered });

it('a chunk of a slow lane waits for a whole pause before each start', async () => {
  const first = await routed(1, 0);
  expect(first.route).toBe('keep');
  expect(first.hidden[0]).toBeCloseTo(PAUSE_MS / 1000);
  expect(await routed(2, PAUSE_MS)).toEqual({ route: startsAs(false), hidden: [] });
});

it('it starts no sooner if SQS did not hide it', async () => {
  expect(await routed(2, PAUSE_MS - 1_000)).toMatchObject({ route: 'keep' });
});

it('it waits once more after its worker died, and is then known to have been begun', async () => {
  expect(await routed(3, 10 * PAUSE_MS)).toMatchObject({ route: 'keep' });
  expect(await routed(4, 10 * PAUSE_MS)).toEqual({ route: startsAs(true), hidden: [] });
});

it('nothing starts in a lane before it is known what was set for the run', async () => {
  const unread = new Error('throttled');
  await expect(routed(2, PAUSE_MS, { unread })).rejects.toBe(unread);
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
    ...{ runId: 'run', task: 'work', attempt: 1, expiresAt: Date.now() + 60_000, results: 'own' },
    ...{ resultQueueUrl: '', flow: before, items, turn: 0 },
  };
  const message = { id: 'm', body: '', receiptHandle: '', receiveCount: 1, group: undefined };
  const routed = { message, chunk, control: { paused: false, ...control }, claim: {} as Claim };
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
  const early = { flow: two, lanesFrom: Date.now() + 5_000 };
  expect(await moved([0], one, early)).toEqual({ tasks: [[0]], lanes: [] });
  const inTime = { flow: two, lanesFrom: Date.now() - 1 };
  expect(await moved([0], one, inTime)).toEqual({ tasks: [], lanes: [[0]] });
});

it('more lanes share a chunk that was cut for few', async () => {
  const { lanes } = await moved([0, 1, 2, 3], one, { flow: two });
  expect(lanes).toEqual([
    [0, 1],
    [2, 3],
  ]);
});
