import { inARow } from '../messages/failing.ts';

/** Longest wait, in milliseconds: half of a slice on Lambda. */
const LONGEST_MS = 30_000;

/**
 * Stops a worker whose attempts all fail, until its run can have paused itself: the collector must
 * hear of the failures, and the worker of its decision. So each worker makes few attempts in an
 * outage, however fast they fail.
 */
export class Brake {
  #failed = 0;
  #until = 0;

  /** Milliseconds until attempts may start; 0 if they may now. */
  get waitMs(): number {
    return Math.max(0, this.#until - performance.now());
  }

  /**
   * Counts an attempt that has ended.
   *
   * @param share the share of inputs that must fail for the run to pause itself
   * @param waitMs time within which the worker hears of that
   * @returns whether the worker must wait from now on
   */
  ended(ok: boolean, share: number, waitMs: number): boolean {
    this.#failed = ok ? 0 : this.#failed + 1;
    if (this.#failed < inARow(share) || this.waitMs > 0) return false;
    // If the first attempt after the wait fails, too, the worker waits again.
    this.#until = performance.now() + Math.min(LONGEST_MS, waitMs);
    return true;
  }
}
