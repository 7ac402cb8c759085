interface Mark {
  /** By `performance.now`. */
  at: number;
  done: number;
}

/** Windows without a change after which the rate is 0. */
const MAX_WINDOWS = 4;

/**
 * Measures how many inputs a second were done over a recent window. If slow inputs leave no change
 * in the window, it reaches back to the last ones, so that the rate does not fall to 0 between two
 * of them.
 */
export class RecentRate {
  readonly #done: () => number;
  readonly #windowMs: number;
  /** Times at which the number of done inputs had changed; the first one is the window's start. */
  #marks: Mark[];

  constructor(done: () => number, windowMs: number) {
    this.#done = done;
    this.#windowMs = windowMs;
    this.#marks = [{ at: performance.now(), done: done() }];
  }

  /** Inputs per second. Call it regularly: it sees only the changes between two calls. */
  perSecond(): number {
    const now = { at: performance.now(), done: this.#done() };
    if (now.done !== this.#marks.at(-1)?.done) this.#marks.push(now);
    const { length } = this.#marks;
    const from = this.#marks.findLastIndex(
      ({ at }, n) => now.at - at >= this.#windowMs && n < length - 1,
    );
    if (from > 0) this.#marks.splice(0, from);
    const [oldest = now, next] = this.#marks;
    const isSilent = next !== undefined && now.at - next.at > MAX_WINDOWS * this.#windowMs;
    if (now.at === oldest.at || isSilent) return 0;
    return ((now.done - oldest.done) / (now.at - oldest.at)) * 1000;
  }
}

/** Formats inputs per second, such as `0.4/s` or `120/s`. */
export function rateText(perSecond: number): string {
  return `${perSecond >= 10 ? Math.round(perSecond) : perSecond.toFixed(1)}/s`;
}
