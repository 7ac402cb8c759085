/** Lateness of a start that the next one may make up for, in milliseconds: timers are not exact. */
const CREDIT_MS = 25;

/** Spaces the starts in one lane. */
export class Pace {
  readonly #pauseMs: number;
  #nextAt: number;

  /**
   * @param pauseMs shortest time between two starts
   * @param firstMs time until the first one
   */
  constructor(pauseMs: number, firstMs: number) {
    this.#pauseMs = pauseMs;
    this.#nextAt = performance.now() + firstMs;
  }

  /** Milliseconds until the next start; 0 if it may be now. */
  get waitMs(): number {
    return Math.max(0, this.#nextAt - performance.now());
  }

  started(): void {
    this.#nextAt = Math.max(this.#nextAt, performance.now() - CREDIT_MS) + this.#pauseMs;
  }
}
