import { expect, it } from 'vitest';
import { Workers } from '../../src/report/workers.ts';

const START = 1_800_000_000_000;

it('keeps the spans of each worker in order of time', () => {
  const workers = new Workers();
  workers.add('w-10', { from: START + 500, to: START + 900, ok: 3, failed: 1 }, 40);
  workers.add('w-2', { from: START, to: START + 100, ok: 1, failed: 0 }, 100);
  workers.add('w-10', { from: START, to: START + 400, ok: 5, failed: 0 }, 10);
  expect(workers.list).toEqual([
    {
      name: 'w-2',
      ok: 1,
      failed: 0,
      ranMs: 100,
      spans: [{ from: START, to: START + 100, ok: 1, failed: 0 }],
      slices: [],
    },
    {
      ...{ name: 'w-10', ok: 8, failed: 1, ranMs: 50 },
      spans: [
        { from: START, to: START + 400, ok: 5, failed: 0 },
        { from: START + 500, to: START + 900, ok: 3, failed: 1 },
      ],
      slices: [],
    },
  ]);
});

it('joins spans when there are too many, and counts all of their results', () => {
  const workers = new Workers();
  for (let at = 0; at < 100_000; at++) {
    const from = START + at * 100;
    workers.add(`w-${at % 10}`, { from, to: from + 90, ok: 1, failed: 1 }, 1);
  }
  const spans = workers.list.flatMap((worker) => worker.spans);
  expect(spans.length).toBeLessThanOrEqual(20_000);
  expect(spans.reduce((sum, { ok, failed }) => sum + ok + failed, 0)).toBe(200_000);
  expect(spans.every(({ from, to }) => from < to)).toBe(true);
});

it('has a row for five thousand workers, and one for all others', () => {
  const workers = new Workers();
  for (let at = 0; at < 6_000; at++) {
    workers.add(`w-${at}`, { from: START, to: START + 1, ok: 1, failed: 0 }, 1);
  }
  expect(workers.list).toHaveLength(5_001);
  expect(workers.list.at(-1)).toEqual({
    name: 'others',
    ok: 1_000,
    failed: 0,
    ranMs: 1_000,
    spans: [],
    slices: [],
  });
});

it('thins the ends of slices out when there are too many', () => {
  const workers = new Workers();
  workers.add('w', { from: START, to: START + 1, ok: 1, failed: 0 }, 1);
  workers.sliced('unknown', START);
  for (let at = 0; at < 100_000; at++) workers.sliced('w', START + at);
  const slices = workers.list[0]?.slices ?? [];
  expect(slices.length).toBeGreaterThan(4_000);
  expect(slices.length).toBeLessThanOrEqual(10_000);
  expect(slices).toEqual(slices.toSorted((one, other) => one - other));
  expect(slices.at(-1)).toBe(START + 99_999);
});
