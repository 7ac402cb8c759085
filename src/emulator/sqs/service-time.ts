import { SteadyClock } from '../../stopwatch.ts';

/** A wall clock that is off by less was not set: it is only kept right by small steps. */
const SET_MS = 1_000;

/** A moment by both clocks, in milliseconds since 1970. */
export interface Moment {
  /** By the service's. */
  readonly time: number;
  /** By the machine's wall clock. */
  readonly wall: number;
}

/**
 * The time of an SQS: the wall clock's when it begins, and from then on as much later as time has
 * passed. So delays, visibility timeouts, long polls, deduplication and retention last as long as
 * they should, to whatever the wall clock is set meanwhile, and no claim lapses by a step of NTP.
 *
 * Where a store was kept, its time goes on (`resume`), which may be another than the wall clock's
 * for good: nothing that was kept then ends years late, or at once, because a machine began with
 * a wrong clock. Callers never notice, since they are told times as the wall clock has them now
 * (`shown`).
 */
export class ServiceTime {
  readonly #clock = new SteadyClock();
  #beganAt = Date.now() - this.#clock.ms;

  /** Milliseconds since 1970, never less than before. */
  get now(): number {
    return Math.floor(this.#beganAt + this.#clock.ms);
  }

  get moment(): Moment {
    return { time: this.now, wall: Date.now() };
  }

  /**
   * Goes on from the last moment that was kept. How long the store was closed is known by the wall
   * clock alone, which may have been wrong then, or be wrong now: as much counts as it is later than
   * both. So time stands still where the clock is behind; where it is ahead, that cannot be seen.
   */
  resume({ time, wall }: Moment): void {
    // A clock that is slowed or hurried to keep it right is no other clock.
    const closedAt = wall - time < SET_MS ? time : wall;
    const closedMs = Math.max(0, Date.now() - closedAt);
    this.#beganAt = time + closedMs - this.#clock.ms;
  }

  /** Whether the wall clock was set since a moment. */
  isSetSince({ time, wall }: Moment): boolean {
    return Math.abs(Date.now() - wall - (this.now - time)) >= SET_MS;
  }

  /** A time of the service as the wall clock tells it now, for those who compare it with theirs. */
  shown(time: number): number {
    const setMs = Date.now() - this.now;
    return Math.abs(setMs) < SET_MS ? time : time + setMs;
  }
}
