import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { namesOf, newRunId } from '../../../src/pipeline/names.ts';
import { runsOf } from '../../../src/pipeline/run/status.ts';
import { pruneRuns } from '../../../src/pipeline/runs/collect-run.ts';

const names = namesOf('Photos');
const BORN = Date.UTC(2026, 10, 1);

/** A deployment with runs that have all ended, a second apart, and runs of another deployment. */
async function withRuns(count: number) {
  const sqs = createSqsClient(new Sqs());
  const runIds = Array.from({ length: count }, (_, second) => newRunId(BORN + second * 1000));
  const tags = { task: 'echo', state: 'sealed', total: '3', ok: '3', expiresAt: '1' };
  for (const runId of runIds) {
    await sqs.send(new CreateQueueCommand({ QueueName: names.run(runId), tags }));
  }
  await sqs.send(new CreateQueueCommand({ QueueName: `Photos2-run-${newRunId()}` }));
  return { sqs, runIds };
}

it('1,500 runs are listed in order, few at a time, with retries when throttled', async () => {
  const { sqs, runIds } = await withRuns(1500);
  let calls = 0;
  let now = 0;
  let most = 0;
  sqs.middlewareStack.add(
    (next, { commandName }) =>
      async (call) => {
        if (commandName !== 'ListQueueTagsCommand') return next(call);
        most = Math.max(most, ++now);
        try {
          // Every fiftieth call is throttled.
          if (++calls % 50 !== 0) return await next(call);
          throw Object.assign(new Error('slow down'), { name: 'RequestThrottled' });
        } finally {
          now--;
        }
      },
    { step: 'initialize' },
  );
  const listed = await Array.fromAsync(runsOf({ sqs, names }));
  expect(listed.map(({ runId }) => runId)).toEqual(runIds);
  expect(calls).toBeGreaterThan(1500);
  expect(most).toBe(5);
});

it('1,100 runs that have ended are pruned', async () => {
  const { sqs, runIds } = await withRuns(1100);
  const pruned = await pruneRuns({ sqs, names } as Parameters<typeof pruneRuns>[0]);
  expect(pruned.map(({ runId }) => runId)).toEqual(runIds);
  expect(await Array.fromAsync(runsOf({ sqs, names }))).toEqual([]);
});

it('an error other than throttling ends the list', async () => {
  const { sqs } = await withRuns(8);
  sqs.middlewareStack.add(
    (next, { commandName }) =>
      (call) => {
        if (commandName !== 'ListQueueTagsCommand') return next(call);
        throw Object.assign(new Error('no'), { name: 'AccessDenied' });
      },
    { step: 'initialize' },
  );
  await expect(Array.fromAsync(runsOf({ sqs, names }))).rejects.toThrow('no');
});
