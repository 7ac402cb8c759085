import { pauseOf, slotOf } from '../messages/flow.ts';
import type { Bounded } from './lanes.ts';

/** Longest pause before the first item that an execution makes in any case, in milliseconds. */
export const LONGEST_FIRST_MS = 20_000;

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

/** Lateness with which an item may still start at a time of its lane, in milliseconds. */
const LATE_MS = 2_000;

/** Starts at the times of a lane that has its own. A time that has passed is left out. */
class Slots implements Starts {
  readonly #pauseMs: number;
  #at: number;

  constructor(pauseMs: number, at: number) {
    this.#pauseMs = pauseMs;
    this.#at = at;
  }

  get waitMs(): number {
    const now = performance.now();
    const missed = Math.ceil((now - LATE_MS - this.#at) / this.#pauseMs);
    if (missed > 0) this.#at += missed * this.#pauseMs;
    return Math.max(0, this.#at - now);
  }

  started(): void {
    this.#at += this.#pauseMs;
  }
}

/** The pace of a lane. */
export function paceOf({ flow, lane, startsAt, firstMs }: Bounded): Starts | undefined {
  if (startsAt !== undefined) return new Slots(slotOf(flow, lane, 0).pauseMs, startsAt);
  const pauseMs = pauseOf(flow, lane);
  return pauseMs === 0 ? undefined : new Pace(pauseMs, firstMs ?? pauseMs);
}
