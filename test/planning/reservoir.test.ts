import { expect, it } from 'vitest';
import { randomFrom } from '../../src/planning/random.ts';
import { Reservoir } from '../../src/planning/reservoir.ts';

function drawnOf(texts: number, size: number, seed: number): number[] {
  const reservoir = new Reservoir(size, randomFrom(seed));
  for (let at = 0; at < texts; at++) reservoir.add(String(at));
  return reservoir.drawn().map(({ index }) => index);
}

it('counts texts and their bytes', () => {
  const reservoir = new Reservoir(1, randomFrom(1));
  for (const text of ['"é"', '12', '3']) reservoir.add(text);
  expect([reservoir.count, reservoir.bytes, reservoir.drawn()]).toMatchObject([3, 7, [{}]]);
});

it('draws each text as often, each at most once, and in any order', () => {
  const times = new Map<number, number>();
  const first = new Map<number, number>();
  for (let seed = 0; seed < 4_000; seed++) {
    const drawn = drawnOf(20, 5, seed);
    expect(new Set(drawn).size).toBe(5);
    for (const index of drawn) times.set(index, (times.get(index) ?? 0) + 1);
    const [one = -1] = drawn;
    first.set(one, (first.get(one) ?? 0) + 1);
  }
  // Expected: 1,000 and 200, with a standard deviation of 27 and 14.
  for (let at = 0; at < 20; at++) {
    expect(Math.abs((times.get(at) ?? 0) - 1_000)).toBeLessThan(130);
    expect(Math.abs((first.get(at) ?? 0) - 200)).toBeLessThan(70);
  }
});

it('draws the same texts for the same seed, and all if there are few', () => {
  expect(drawnOf(1_000, 10, 7)).toEqual(drawnOf(1_000, 10, 7));
  expect(drawnOf(1_000, 10, 8)).not.toEqual(drawnOf(1_000, 10, 7));
  expect(drawnOf(3, 10, 7).toSorted()).toEqual([0, 1, 2]);
});
