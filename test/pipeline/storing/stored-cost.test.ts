import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newRunId } from '../../../src/pipeline/names.ts';
import { defineTask } from '../../../src/task.ts';
import { inVirtualTime, storedDeployment } from './stored-deployment.ts';

inVirtualTime();
beforeEach(() => void vi.stubEnv('AWS_REGION', 'eu-central-1'));
afterEach(() => void vi.unstubAllEnvs());

const slow = defineTask({
  name: 'slow',
  run: (input: number) => new Promise((resolve) => setTimeout(resolve, 1_000, input)),
});

async function stored(count: number, options: Parameters<typeof storedDeployment>[1]) {
  const deployed = await storedDeployment([slow], { workers: 1, ...options });
  const runId = newRunId();
  const inputs = Array.from({ length: count }, (_, input) => input);
  await deployed.seed({ task: 'slow', runId, inputs, results: 's3' });
  const manifest = await deployed.manifest(runId);
  await deployed.close();
  return { ...deployed, manifest };
}

it('the manifest has what a run has cost, over all collectors that handed over', async () => {
  // Each collector has ten seconds.
  const { manifest, calls } = await stored(60, { memoryMb: 512, timeoutSeconds: 70 });
  const { cost, createdAt, endedAt } = manifest;
  expect(cost).toMatchObject({ region: 'eu-central-1', usd: expect.any(Number) });
  const { counted, items } = cost ?? expect.fail();
  const collectors = calls.filter(({ service }) => service === 'lambda').length + 1;
  expect(collectors).toBeGreaterThan(3);
  expect(counted.invocations).toBeGreaterThan(collectors);
  // The worker and a collector at a time, each of half a GB.
  const seconds = (Date.parse(endedAt) - Date.parse(createdAt)) / 1000;
  const { arm64, x86_64 } = counted.gbSeconds;
  expect((arm64 + x86_64) / (0.5 * 2 * seconds)).toBeCloseTo(1, 1);
  // Parts and records are put by the collectors.
  const puts = calls.filter(({ service, method }) => service === 's3' && method === 'PUT').length;
  expect(counted.s3.put).toBeGreaterThan(puts / 2);
  expect(items?.lambdaDuration).toBeGreaterThan(0.0003);
  expect(Object.values(items ?? {}).reduce((sum, item) => sum + item, 0)).toBeCloseTo(
    cost?.usd ?? 0,
  );
});

it('where nothing is billed, the manifest has no cost', async () => {
  const { manifest } = await stored(3, {});
  expect(manifest).not.toHaveProperty('cost');
});
