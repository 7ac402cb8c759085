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

type Asked = Partial<Parameters<Awaited<ReturnType<typeof storedDeployment>>['seed']>[0]>;

async function stored(
  count: number,
  options: Parameters<typeof storedDeployment>[1],
  asked: Asked = {},
) {
  const deployed = await storedDeployment([slow], { workers: 1, ...options });
  const runId = newRunId();
  const inputs = Array.from({ length: count }, (_, input) => input);
  await deployed.seed({ task: 'slow', runId, inputs, results: 's3', ...asked } as never);
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

it('the collector functions end a run before it costs more than its request allows', async () => {
  const maxCost = 0.003;
  const metered = { memoryMb: 512, timeoutSeconds: 70 };
  const { manifest, calls } = await stored(600, metered, { maxCost });
  expect(manifest.cause).toContain('it reached its cost limit of $0.0030');
  expect(manifest.ledger.cancelled).toBeGreaterThan(0);
  expect(manifest.ledger.ok).toBeGreaterThan(10);
  expect(manifest.cost?.usd).toBeLessThan(maxCost);
  expect(manifest.cost?.usd).toBeGreaterThan(maxCost / 3);
  // The limit is the run's, and not that of one collector.
  expect(calls.filter(({ service }) => service === 'lambda').length).toBeGreaterThan(2);
});
