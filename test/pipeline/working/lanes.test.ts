import { SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import type { Chunk } from '../../../src/pipeline/messages/chunk.ts';
import type { Claim } from '../../../src/pipeline/working/claim.ts';
import { routeOf } from '../../../src/pipeline/working/lanes.ts';

const flow = { lanes: 2, rate: '6/m' } as const;
const PAUSE_MS = 20_600;

/** What becomes of a message in a slow lane, and the seconds for which it is hidden. */
async function routed(receiveCount: number, waitedMs: number) {
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
  const control = { paused: false };
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
