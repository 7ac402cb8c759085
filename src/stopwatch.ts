import { uptime } from 'node:os';

/** A wall clock that moved so much against the monotonic one was set, or the machine slept. */
const STEP_MS = 1_000;

/**
 * Milliseconds that pass on this machine, whatever its wall clock is set to. Node's monotonic clock
 * stops while the machine sleeps, and its wall clock can't tell a sleep from a change of the time;
 * the machine's uptime can, but takes a system call. So it is asked only where the wall clock says
 * that time is missing, and counts where both agree how much.
 */
export class SteadyClock {
  readonly #uptimeSeconds: () => number;
  #wallAheadMs = Date.now() - performance.now();
  #upAheadMs: number;
  #sleptMs = 0;

  /** @param uptimeSeconds how long the machine has been up, asleep or awake */
  constructor(uptimeSeconds = uptime) {
    this.#uptimeSeconds = uptimeSeconds;
    this.#upAheadMs = uptimeSeconds() * 1000 - performance.now();
  }

  get ms(): number {
    const monotonic = performance.now();
    const wallAheadMs = Date.now() - monotonic;
    const stepMs = wallAheadMs - this.#wallAheadMs;
    if (Math.abs(stepMs) >= STEP_MS) {
      const upAheadMs = this.#uptimeSeconds() * 1000 - monotonic;
      const sleptMs = upAheadMs - this.#upAheadMs;
      if (Math.abs(sleptMs - stepMs) < STEP_MS) this.#sleptMs += Math.max(0, sleptMs);
      this.#wallAheadMs = wallAheadMs;
      this.#upAheadMs = upAheadMs;
    }
    return monotonic + this.#sleptMs;
  }
}

/** Measures how long something has taken on this machine, the time that it was asleep included. */
export class Stopwatch {
  readonly #clock = new SteadyClock();
  readonly #startedAt = this.#clock.ms;

  /** Milliseconds since it was made. */
  get ms(): number {
    return this.#clock.ms - this.#startedAt;
  }
}
