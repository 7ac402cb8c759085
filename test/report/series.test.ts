import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Series } from '../../src/report/series.ts';
import { bucketOf } from '../../src/report/sketch.ts';

const START = 1_800_000_000_000;
const sumOf = (series: Series) =>
  series.points.reduce(
    ({ ok, failed }, point) => ({ ok: ok + point.ok, failed: failed + point.failed }),
    { ok: 0, failed: 0 },
  );

it('keeps each result in a bounded number of steps, however long the run is', () => {
  const count = fc.nat({ max: 1_000 });
  const span = fc.record({
    at: fc.nat({ max: 1e9 }),
    ms: fc.nat({ max: 1e5 }),
    ok: count,
    failed: count,
  });
  fc.assert(
    fc.property(fc.array(span), (spans) => {
      const series = new Series();
      for (const { at, ms, ok, failed } of spans) {
        const durations = [[bucketOf(ms), ok + failed]] as const;
        series.add({ from: START + at, to: START + at + ms, ok, failed, durations });
      }
      const { points, stepMs } = series;
      expect(points.length).toBeLessThanOrEqual(480);
      expect(sumOf(series)).toEqual({
        ok: spans.reduce((sum, { ok }) => sum + ok, 0),
        failed: spans.reduce((sum, { failed }) => sum + failed, 0),
      });
      points.forEach(({ at }, index) => {
        expect(at).toBe((points[0]?.at ?? 0) + index * stepMs);
      });
    }),
  );
});

it('spreads results over the time in which they ended', () => {
  const series = new Series();
  const durations = [[bucketOf(10), 100]] as const;
  series.add({ from: START, to: START + 999, ok: 90, failed: 10, durations });
  expect(series.points.map(({ ok, failed }) => ok + failed)).toEqual(Array(10).fill(10));
  expect(series.points[0]).toMatchObject({ at: START, ok: 9, failed: 1 });
  expect(series.points[9]?.p95).toBeCloseTo(10, 0);
});
