import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { defineTask } from '../../../src/index.ts';
import { Run } from '../../../src/pipeline/collecting/run.ts';
import { pauseRun, unpauseRun } from '../../../src/pipeline/seeding/set-run.ts';
import { virtualDeployment } from '../virtual-deployment.ts';

const never = defineTask({ name: 'never', run: () => 1 });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('a collector on AWS, which reads settings twice a minute, does not miss a later deadline', async () => {
  const { deployment, close } = await virtualDeployment([never]);
  const there = { ...deployment, countsLate: true };
  const begunAt = Date.now();
  const secondsPassed = () => (Date.now() - begunAt) / 1000;
  const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);
  const run = new Run(there, 'never', [1], { deadlineSeconds: 50 });
  const all = Array.fromAsync(run);
  await pass(5);
  await pauseRun(there, run.runId);
  expect(run.settings.pausedAt).toBeUndefined();
  await pass(30);
  expect(run.settings.pausedAt).toBeGreaterThan(begunAt);
  await pass(10);
  const { expiresAt = 0 } = await unpauseRun(there, run.runId, { extendDeadline: true });
  expect((expiresAt - begunAt) / 1000).toBeCloseTo(90, 0);
  await pass(12);
  // The deadline that it knew has passed.
  expect(run.cause).toBeUndefined();
  expect(run.settings).toMatchObject({ pausedAt: undefined, expiresAt });
  while (run.cause === undefined) await pass(1);
  expect(secondsPassed()).toBeGreaterThan(90);
  expect(secondsPassed()).toBeLessThan(100);
  await pass(60);
  expect(await all).toMatchObject([{ status: 'failed', error: { code: 'Lost' } }]);
  await close();
});
