import { SteadyClock } from '../../stopwatch.ts';

/** A smaller difference of the wall clock is a gradual correction: the clock was not set. */
const SET_MS = 1_000;

/** A moment by both clocks, in milliseconds since 1970. */
export interface Moment {
  /** By the service's clock. */
  readonly time: number;
  /** By the machine's wall clock. */
  readonly wall: number;
}

/**
 * The time of an SQS. It starts as the wall clock's time, and then advances with the time that
 * passes. Delays, visibility timeouts, long polls, deduplication and retention last as long as they
 * should even if the wall clock is set meanwhile, and no claim expires because of a step of NTP.
 *
 * The time of a store continues when it is opened again (`resume`), and may differ from the wall
 * clock for good. Nothing stored ends years late, or at once, because a machine started with a
 * wrong clock. Callers don't notice, since they are shown times as the wall clock has them now
 * (`shown`).
 */
export class ServiceTime {
  readonly #clock = new SteadyClock();
  #beganAt = Date.now() - this.#clock.ms;

  /** Milliseconds since 1970; never decreases. */
  get now(): number {
    return Math.floor(this.#beganAt + this.#clock.ms);
  }

  get moment(): Moment {
    return { time: this.now, wall: Date.now() };
  }

  /**
   * Continues from the last stored moment. Only the wall clock shows how long the store was closed,
   * and it may have been wrong then, or be wrong now. The closed time therefore counts from the
   * later of the two stored times. Time stands still if the clock is behind; a clock that is ahead
   * can't be detected.
   */
  resume({ time, wall }: Moment): void {
    // A clock that is slowed down or sped up to correct it is still the same clock.
    const closedAt = wall - time < SET_MS ? time : wall;
    const closedMs = Math.max(0, Date.now() - closedAt);
    this.#beganAt = time + closedMs - this.#clock.ms;
  }

  /** Whether the wall clock was set since a moment. */
  isSetSince({ time, wall }: Moment): boolean {
    return Math.abs(Date.now() - wall - (this.now - time)) >= SET_MS;
  }

  /** A service time by the current wall clock, for callers that compare it with their own. */
  shown(time: number): number {
    const setMs = Date.now() - this.now;
    return Math.abs(setMs) < SET_MS ? time : time + setMs;
  }
}
