import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bucketOf, LAST_BUCKET, Sketch, upperBound } from '../../src/report/sketch.ts';

it('knows every quantile to within 4.5 %', () => {
  const values = fc.array(fc.double({ min: 0.001, max: 1e9, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
      const sketch = new Sketch();
      for (const value of given) sketch.add(value);
      const sorted = given.toSorted((one, other) => one - other);
      const exact = sorted[Math.max(0, Math.ceil(share * given.length) - 1)] ?? 0;
      expect(sketch.quantile(share)).toBeGreaterThan(exact * 0.955);
      expect(sketch.quantile(share)).toBeLessThan(exact * 1.046);
    }),
  );
});

it('merges', () => {
  const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }));
  fc.assert(
    fc.property(values, values, (some, others) => {
      const [one, other, all] = [new Sketch(), new Sketch(), new Sketch()];
      for (const value of some) one.add(value);
      for (const value of others) other.add(value);
      for (const value of [...others, ...some]) all.add(value);
      one.merge(other.counted);
      expect(one.counted).toEqual(all.counted);
      expect(one.count).toBe(some.length + others.length);
    }),
  );
});

it('has a bucket for anything', () => {
  for (const value of [0, -1, Number.NaN, Number.MIN_VALUE]) expect(bucketOf(value)).toBe(0);
  expect(bucketOf(Number.POSITIVE_INFINITY)).toBe(LAST_BUCKET);
  expect(upperBound(bucketOf(1))).toBeGreaterThanOrEqual(1);
  expect(new Sketch().quantile(0.5)).toBeUndefined();
});
