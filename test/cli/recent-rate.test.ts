import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RecentRate } from '../../src/cli/recent-rate.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The rates of a run, measured each second while `doneAt` inputs are done after so many seconds. */
function ratesOf(doneAt: (second: number) => number, seconds: number): number[] {
  let done = doneAt(0);
  const rate = new RecentRate(() => done, 30_000);
  return Array.from({ length: seconds }, (_, second) => {
    vi.advanceTimersByTime(1_000);
    done = doneAt(second + 1);
    return rate.perSecond();
  });
}

it('the rate is that of the last 30 s, not since the start', () => {
  // Ten inputs a second for two minutes, then one.
  const rates = ratesOf((second) => Math.min(second, 120) * 10 + Math.max(0, second - 120), 180);
  expect(rates[0]).toBeCloseTo(10);
  expect(rates[119]).toBeCloseTo(10);
  expect(rates[179]).toBeLessThan(1.2);
});

it('results from before the start do not count', () => {
  expect(ratesOf((second) => 1_000_000 + second, 5).at(-1)).toBeCloseTo(1);
});

it('the rate of slow inputs does not fall to 0 between two of them', () => {
  const rates = ratesOf((second) => Math.floor(second / 50), 300).slice(50);
  expect(Math.min(...rates)).toBeGreaterThan(0.009);
  expect(Math.max(...rates)).toBeLessThan(0.03);
});

it('the rate is 0 when nothing has been done for long', () => {
  expect(ratesOf((second) => Math.min(second, 10), 200).at(-1)).toBe(0);
});
