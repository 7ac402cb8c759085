import { uptime } from 'node:os';

/** If a clock moves this far against another one, it was set, or the machine slept. */
const STEP_MS = 1_000;

/** Interval of reading the uptime, in milliseconds: each takes a system call, of some 10 µs. */
const ASK_MS = 1_000;

/** Node's own monotonic clock, even if time is simulated: the machine may sleep there, too. */
const awakeMs = performance.now.bind(performance);

/** The machine's clocks that no change of the time moves. */
export interface Machine {
  /** Seconds since it started, asleep or awake. */
  uptime(): number;
  /** Milliseconds that it has been awake, from an arbitrary beginning. */
  awakeMs(): number;
}

/**
 * Milliseconds that pass on this machine, whatever its wall clock is set to. Node's monotonic clock
 * stops while the machine sleeps; the machine's uptime does not (on Linux it is CLOCK_BOOTTIME, on
 * Windows GetTickCount64). The uptime is read every second, and at once if the wall clock shows
 * that time is missing. So a sleep counts within a second of its end, whatever the clock is set to
 * then.
 *
 * A pause of a virtual machine that stops all of its clocks is not counted: within it, nothing
 * distinguishes that from a wall clock that was set forward, which must not count. A claim is then
 * trusted for longer. Another worker may run its inputs as well, and each result still counts once.
 */
export class SteadyClock {
  readonly #machine: Machine;
  #wallAheadMs = Date.now() - performance.now();
  #upAheadMs: number;
  #askedAtMs: number;
  #sleptMs = 0;

  constructor(machine: Machine = { uptime, awakeMs }) {
    this.#machine = machine;
    this.#askedAtMs = machine.awakeMs();
    this.#upAheadMs = machine.uptime() * 1000 - this.#askedAtMs;
  }

  get ms(): number {
    const monotonic = performance.now();
    const wallAheadMs = Date.now() - monotonic;
    const isStep = Math.abs(wallAheadMs - this.#wallAheadMs) >= STEP_MS;
    if (isStep) this.#wallAheadMs = wallAheadMs;
    this.#sleptMs += this.#newSleepMs(isStep);
    return monotonic + this.#sleptMs;
  }

  /** Milliseconds of sleep that have not been counted yet. */
  #newSleepMs(isStep: boolean): number {
    const awake = this.#machine.awakeMs();
    if (!isStep && awake - this.#askedAtMs < ASK_MS) return 0;
    this.#askedAtMs = awake;
    const upAheadMs = this.#machine.uptime() * 1000 - awake;
    const sleptMs = upAheadMs - this.#upAheadMs;
    // Some systems round the uptime to seconds.
    if (Math.abs(sleptMs) < STEP_MS) return 0;
    this.#upAheadMs = upAheadMs;
    return Math.max(0, sleptMs);
  }
}

/** Measures elapsed time on this machine, including time asleep. */
export class Stopwatch {
  readonly #clock = new SteadyClock();
  readonly #startedAt = this.#clock.ms;

  /** Milliseconds since it was made. */
  get ms(): number {
    return this.#clock.ms - this.#startedAt;
  }
}
