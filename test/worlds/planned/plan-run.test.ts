import { describe, expect, it } from 'vitest';
import type { PlanRequest } from '../../../src/planning/planned-run.ts';
import { planRun } from '../../../src/worlds/planned/plan-run.ts';

const DEPLOYMENT: PlanRequest['deployment'] = {
  ...{ region: 'eu-central-1', memoryMb: 2_048, architecture: 'arm64' },
  ...{ maxConcurrency: 10, burst: 5 },
};

const request = (more: Partial<PlanRequest> = {}): PlanRequest => ({
  ...{ inputs: 60, inputBytes: 50, deployment: DEPLOYMENT },
  sample: [{ ms: 1_000, attempts: 1, outputBytes: 20, ok: true }],
  ...more,
});

describe('a planned run', () => {
  it('takes at least the time of its inputs, and is billed for it', async () => {
    const plan = await planRun(request());
    expect(plan.seconds).toBeGreaterThan(6);
    expect(plan.seconds).toBeLessThan(20);
    expect(plan.peakWorkers).toBeLessThanOrEqual(10);
    expect(plan.usage.gbSeconds.arm64).toBeGreaterThan(120);
    expect(plan.usage.gbSeconds.x86_64).toBe(0);
    expect(plan.timeline.at(-1)).toMatchObject({ atSeconds: plan.seconds, done: 60 });
  });

  it('is the same for the same seed', async () => {
    const plans = await Promise.all([planRun(request()), planRun(request())]);
    expect(plans[0]).toEqual(plans[1]);
  });

  it('repeats failed attempts, as often as those of the sample', async () => {
    const sample = [{ ms: 100, attempts: 3, outputBytes: 20, ok: false }];
    const [once, thrice] = await Promise.all([
      planRun(request({ sample: [{ ms: 100, attempts: 1, outputBytes: 20, ok: true }] })),
      planRun(request({ sample })),
    ]);
    expect(thrice.usage.sqs.fair).toBeGreaterThan(once.usage.sqs.fair);
    expect(thrice.seconds).toBeGreaterThan(once.seconds);
  });

  it.each([
    ['the rate', { deployment: { ...DEPLOYMENT, rate: 4 } }],
    ["the account's concurrency", { deployment: { ...DEPLOYMENT, accountConcurrency: 7 } }],
    ['the number of inputs', { inputs: 3 }],
  ])('is limited by %s', async (limitedBy, more) => {
    expect(await planRun(request(more))).toMatchObject({ limitedBy });
  });

  it.each([
    ['the number of inputs', { inputs: 0 }],
    ['a sample', { sample: [] }],
  ])('needs %s', async (what, more) => {
    await expect(planRun(request(more))).rejects.toThrow(what);
  });
});
