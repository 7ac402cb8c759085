/**
 * Measures how long something has taken on this machine, the time that it was asleep included. The
 * wall clock alone may be set back meanwhile, and the monotonic one stops while the machine sleeps,
 * so the one that is further ahead counts, and what was counted once is never taken back.
 */
export class Stopwatch {
  #aheadMs = Number.NEGATIVE_INFINITY;
  readonly #startedAt = this.#now();

  /** Milliseconds since it was made. */
  get ms(): number {
    return this.#now() - this.#startedAt;
  }

  #now(): number {
    const monotonic = performance.now();
    this.#aheadMs = Math.max(this.#aheadMs, Date.now() - monotonic);
    return monotonic + this.#aheadMs;
  }
}
