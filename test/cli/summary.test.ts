import { expect, it } from 'vitest';
import { summaryOf } from '../../src/cli/summary.ts';
import type { Statistics } from '../../src/index.ts';
import { Sketch, statisticsOf, Workers } from '../../src/internal.ts';

function statistics(...results: [worker: string, ms: number][]): Statistics {
  const durations = new Sketch();
  const workers = new Workers();
  for (const [worker, ms] of results) {
    durations.add(ms);
    workers.count(worker, { ok: 1, failed: 0 }, ms);
  }
  const ranMs = results.reduce((sum, [, ms]) => sum + ms, 0);
  const ledger = { inputs: results.length, ok: results.length, failed: 0, cancelled: 0 };
  const about = { startedAt: 0, at: 1, failures: [], durations, workers, ranMs };
  return statisticsOf({ ...ledger, sealed: true }, about);
}

it('tells durations, and which workers were busiest and slowest', () => {
  const [durations, workers] = summaryOf(
    statistics(['a', 10], ['a', 10], ['a', 10], ['b', 25], ['c', 1]),
  );
  expect(durations).toMatch(/^durations: median .* ms, 95 % within .* ms, longest 2\d(\.\d)? ms$/);
  expect(workers).toBe('workers: a was busiest, 30 ms; b was slowest, 25 ms an input');
});

it('leaves out what is not known, or goes without saying', () => {
  expect(summaryOf(statistics())).toEqual([]);
  expect(summaryOf(statistics(['a', 4]))).toEqual([expect.stringMatching(/^duration: 4.* ms$/)]);
  expect(summaryOf(statistics(['a', 4], ['b', 1]))).toContain(
    'workers: a was busiest, 4 ms, and slowest, 4 ms an input',
  );
});
