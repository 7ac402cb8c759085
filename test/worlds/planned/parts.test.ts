import { expect, it } from 'vitest';
import type { PlanRequest } from '../../../src/planning/planned-run.ts';
import { planRun } from '../../../src/worlds/planned/plan-run.ts';
import { simulateApart } from '../../../src/worlds/planned/simulator.ts';

const DEPLOYMENT: PlanRequest['deployment'] = {
  ...{ region: 'us-east-1', memoryMb: 1_024, architecture: 'arm64' },
  ...{ maxConcurrency: 60, burst: 30 },
};

const within = (share: number, actual: number, expected: number) =>
  expect(Math.abs(actual - expected) / expected, `${actual} for ${expected}`).toBeLessThan(share);

it('a part of a run stands for the whole: time, requests, and time of functions', async () => {
  const request: PlanRequest = {
    ...{ inputs: 2_400, inputBytes: 50, deployment: DEPLOYMENT },
    sample: [{ ms: 1_000, attempts: 1, outputBytes: 20, ok: true }],
  };
  const plan = await planRun(request);
  expect(plan.simulated).toBeLessThan(1_200);
  const whole = await simulateApart({ ...request, seed: 2 });
  const { counts } = whole;
  within(0.05, plan.seconds, whole.seconds);
  within(0.03, plan.usage.gbSeconds.arm64, (counts.workerMs + counts.seedMs) / 1_000);
  const requests = ['standard', 'fair', 'fifo', 'collected', 'collectorOther'] as const;
  const { standard, fair, fifo } = plan.usage.sqs;
  within(
    0.03,
    standard + fair + fifo,
    requests.reduce((sum, name) => sum + counts[name], 0),
  );
});

it.each([
  ['the seed, in 12 s', 98, 12],
  ['the event source alone, in 200 s', 0, 205],
])('a thousand workers are started by %s', async (_, burst, seconds) => {
  const { allSeconds } = await simulateApart({
    ...{ inputs: 110, inputBytes: 10, seed: 1 },
    sample: [{ ms: 300_000, attempts: 1, outputBytes: 10, ok: true }],
    deployment: { ...DEPLOYMENT, maxConcurrency: 100, burst },
    part: { share: 0.1, whole: { workers: 1_000, inputs: 1_100 } },
  });
  within(0.12, allSeconds ?? 0, seconds);
});
