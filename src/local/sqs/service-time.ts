import { SteadyClock } from '../../stopwatch.ts';

/** A wall clock that is off by less was not set: it is only kept right by small steps. */
const SET_MS = 1_000;

/**
 * The time of an SQS: the wall clock's when it begins, and from then on as much later as time has
 * passed. So delays, visibility timeouts, long polls, deduplication and retention last as long as
 * they should, to whatever the wall clock is set meanwhile, and no claim lapses by a step of NTP. What
 * a store has kept goes on by the wall clock of its next start: how long it was closed is known by
 * that clock alone.
 */
export class ServiceTime {
  readonly #clock = new SteadyClock();
  readonly #beganAt = Date.now() - this.#clock.ms;

  /** Milliseconds since 1970, never less than before. */
  get now(): number {
    return Math.floor(this.#beganAt + this.#clock.ms);
  }

  /** A time of the service as the wall clock tells it now, for those who compare it with theirs. */
  shown(time: number): number {
    const setMs = Date.now() - this.now;
    return Math.abs(setMs) < SET_MS ? time : time + setMs;
  }
}
