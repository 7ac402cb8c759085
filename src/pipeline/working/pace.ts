import { type Flow, LONGEST_WAIT_MS, pauseOf } from '../messages/flow.ts';

/** Lateness of a start that the next one may make up for, in milliseconds: timers are not exact. */
const CREDIT_MS = 25;

/** What spaces the starts of items. */
export interface Starts {
  /** Milliseconds until the next start; 0 if it may be now. */
  readonly waitMs: number;
  started(): void;
}

/** Several paces at once: the slowest decides. */
export function together(...paces: (Starts | undefined)[]): Starts | undefined {
  const given = paces.filter((pace) => pace !== undefined);
  if (given.length < 2) return given[0];
  return {
    get waitMs() {
      return Math.max(...given.map((pace) => pace.waitMs));
    },
    started() {
      for (const pace of given) pace.started();
    },
  };
}

/** Spaces the starts in one lane. */
export class Pace implements Starts {
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

  get waitMs(): number {
    return Math.max(0, this.#nextAt - performance.now());
  }

  started(): void {
    this.#nextAt = Math.max(this.#nextAt, performance.now() - CREDIT_MS) + this.#pauseMs;
  }
}

/** A lane whose pauses are short makes one before its first start, as the last was in another chunk. */
export function paceOf({ flow, lane }: { flow: Flow; lane: number }): Pace | undefined {
  const pauseMs = pauseOf(flow, lane);
  if (pauseMs === 0) return undefined;
  return new Pace(pauseMs, pauseMs > LONGEST_WAIT_MS ? 0 : pauseMs);
}
