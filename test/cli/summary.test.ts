import { expect, it, vi } from 'vitest';
import { saySummary, timesOf } from '../../src/cli/summary.ts';
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
  const [durations, workers] = timesOf(
    statistics(['a', 10], ['a', 10], ['a', 10], ['b', 25], ['c', 1]),
  );
  expect(durations).toMatch(/^durations: median .* ms, 95 % within .* ms, longest 2\d(\.\d)? ms$/);
  expect(workers).toBe('workers: a was busiest, 30 ms; b was slowest, 25 ms an input');
});

it('leaves out what is not known, or goes without saying', () => {
  expect(timesOf(statistics())).toEqual([]);
  expect(timesOf(statistics(['a', 4]))).toEqual([expect.stringMatching(/^duration: 4.* ms$/)]);
  expect(timesOf(statistics(['a', 4], ['b', 1]))).toContain(
    'workers: a was busiest, 4 ms, and slowest, 4 ms an input',
  );
});

it.each([
  ['few hints', 6, 9, 2],
  ['many facts', 7, 9, 5],
  ['nothing failed', 4, 0, 4],
])('is at most ten lines, with %s', (_, factCount, kindCount, hintCount) => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const [facts, hints] = [factCount, hintCount].map((count) =>
    Array.from({ length: count }, (_, n) => n),
  );
  saySummary({
    facts: facts?.map((n) => `fact ${n}`) ?? [],
    kindsIn: (lines) => kindsOf(kindCount, lines),
    // The first is the least important one.
    hints: hints?.map((n) => ({ text: `hint ${n}`, rank: 10 - n })) ?? [],
  });
  const lines = write.mock.calls.map(([line]) => String(line).replace('fanfold: ', '').trim());
  write.mockRestore();
  expect(lines.length).toBeLessThanOrEqual(10);
  expect(lines.filter((line) => line.startsWith('fact'))).toHaveLength(factCount);
  if (kindCount > 0) expect(lines).toContain('kind 0');
  const kept = lines.filter((line) => line.startsWith('hint'));
  const room = 10 - factCount - Math.min(2, kindCount);
  expect(kept).toEqual(hints?.map((n) => `hint ${n}`).slice(-room));
});

/** Kinds as lines, the last of which tells of the others. */
function kindsOf(count: number, lines: number): string[] {
  const kinds = Array.from({ length: count }, (_, n) => `kind ${n}`);
  return count <= lines ? kinds : [...kinds.slice(0, lines - 1), 'and more'];
}
