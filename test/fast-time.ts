import { vi } from 'vitest';

/** Milliseconds between two steps of the faster time. */
const STEP_MS = 5;

/**
 * Lets the time of timers and clocks pass faster than real time, for tests that mostly wait. A busy
 * machine slows it down: each step waits for a turn of the event loop.
 *
 * @param speed milliseconds in one of real time
 * @returns a function that ends it
 */
export function fastTime(speed: number): () => void {
  const every = setInterval;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  const passing = every(() => vi.advanceTimersByTime(speed * STEP_MS), STEP_MS);
  return () => {
    clearInterval(passing);
    vi.useRealTimers();
  };
}
