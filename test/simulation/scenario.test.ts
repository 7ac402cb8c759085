import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scenario } from './scenario.ts';

it('scenarios have few workers, or a hundred and more', () => {
  const worlds = fc.sample(scenario, { seed: 1, numRuns: 100 });
  const counts = worlds.map(({ lambdaWorkers, pullWorkers }) => lambdaWorkers + pullWorkers);
  expect(counts.filter((count) => count >= 100).length).toBeGreaterThan(5);
  expect(counts.filter((count) => count < 10).length).toBeGreaterThan(50);
});
