import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AdaptivePace } from '../../../src/pipeline/working/adaptive-pace.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Starts as often as the pace allows for a time, at most 100 times a second; counts the starts. */
function startsIn(pace: AdaptivePace, ms: number): number {
  let starts = 0;
  for (let at = 0; at < ms; at += 10) {
    vi.advanceTimersByTime(10);
    if (pace.waitMs > 0) continue;
    pace.started();
    starts++;
  }
  return starts;
}

it('is not held until an attempt is put off', () => {
  expect(startsIn(new AdaptivePace(), 1_000)).toBe(100);
});

it('is halved by attempts that are put off together, and grows again', () => {
  const pace = new AdaptivePace();
  startsIn(pace, 2_000);
  const startedAt = performance.now();
  vi.advanceTimersByTime(1);
  for (let n = 0; n < 20; n++) pace.slowDown(startedAt);
  const seconds = Array.from({ length: 12 }, () => startsIn(pace, 1_000));
  expect(seconds[0]).toBeGreaterThan(35);
  expect(seconds[0]).toBeLessThan(60);
  expect(seconds.at(-1)).toBeGreaterThan(90);
});

it('is halved again by each later attempt that is put off, but does not end', () => {
  const pace = new AdaptivePace();
  startsIn(pace, 2_000);
  for (let n = 0; n < 30; n++) {
    vi.advanceTimersByTime(1_001);
    pace.slowDown(performance.now());
  }
  expect(pace.perSecond).toBeCloseTo(0.1, 1);
  expect(startsIn(pace, 60_000)).toBeGreaterThan(5);
});

it('recovers soon from a service that refused all attempts for a while', () => {
  const pace = new AdaptivePace();
  startsIn(pace, 2_000);
  for (let ms = 0; ms < 10_000; ms += 100) {
    vi.advanceTimersByTime(100);
    pace.slowDown(performance.now());
  }
  expect(pace.perSecond).toBeLessThan(2);
  startsIn(pace, 20_000);
  expect(pace.perSecond).toBeGreaterThan(4);
});

it('reaches most of what a service allows in ten seconds', () => {
  const pace = new AdaptivePace();
  const accepted: number[] = [];
  let refused = 0;
  for (let ms = 0; ms < 120_000; ms += 10) {
    vi.advanceTimersByTime(10);
    if (pace.waitMs > 0) continue;
    pace.started();
    const now = performance.now();
    if (accepted.filter((at) => at > now - 10_000).length < 200) accepted.push(now);
    else {
      refused++;
      pace.slowDown(now);
    }
  }
  expect(accepted.length / 120).toBeGreaterThan(11);
  expect(refused).toBeLessThan(accepted.length / 5);
});
