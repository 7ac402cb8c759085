import type { Starts } from './pace.ts';

/** Part that the pace regains in a second, as a share of what it was before it was first halved. */
const REGAINED = 0.05;

/** What remains of that pace as a measure at each further halving: the world may allow far less. */
const REMEMBERED = 0.7;

/** Time in which a halving takes effect, in milliseconds: attempts begun in it do not halve again. */
const SETTLING_MS = 1_000;

/** Time over which the present pace is measured, in milliseconds. */
const MEASURED_MS = 1_000;

/** Slowest pace, in starts a second. */
const SLOWEST = 0.1;

/** Multiple of the pace by which it is regained at which it is no longer held. */
const FREE = 10;

/**
 * The pace of a task that asks to be put off when the world is busy: it is halved each time, and
 * grows again evenly (additive increase, multiplicative decrease). It is one worker's: all workers
 * that the world puts off halve theirs.
 */
export class AdaptivePace implements Starts {
  /** Times of the latest starts. */
  #starts: number[] = [];
  /**
   * The pace that it was reduced to, and the one by which it is regained, in starts a second;
   * undefined while it is not held.
   */
  #reduced: { to: number; top: number; at: number } | undefined;
  #nextAt = 0;

  /** Milliseconds until the next start; 0 if it may be now. */
  get waitMs(): number {
    return this.#reduced === undefined ? 0 : Math.max(0, this.#nextAt - performance.now());
  }

  /** The pace that is held, in starts a second; undefined if none is. */
  get perSecond(): number | undefined {
    if (this.#reduced === undefined) return undefined;
    const { to, top, at } = this.#reduced;
    return to + (top * REGAINED * (performance.now() - at)) / 1_000;
  }

  started(): void {
    const now = performance.now();
    this.#starts.push(now);
    while ((this.#starts[0] ?? now) <= now - MEASURED_MS) this.#starts.shift();
    const held = this.perSecond;
    if (held === undefined || this.#reduced === undefined) return;
    if (held > this.#reduced.top * FREE) this.#reduced = undefined;
    this.#nextAt = Math.max(this.#nextAt, now) + 1_000 / held;
  }

  /**
   * Halves the pace, unless that was done after the attempt began or just before: all that are put
   * off together count as one.
   *
   * @param startedAt start of the attempt that was put off, by `performance.now`
   */
  slowDown(startedAt: number): void {
    const now = performance.now();
    if (this.#reduced && startedAt < this.#reduced.at + SETTLING_MS) return;
    const measured = this.#starts.filter((start) => start > now - MEASURED_MS).length;
    const from = this.perSecond ?? Math.max(1, measured);
    // A service that refuses for a while halves it many times, far below what it allows later.
    const top = Math.max(from, (this.#reduced?.top ?? 0) * REMEMBERED);
    this.#reduced = { to: Math.max(SLOWEST, from / 2), top, at: now };
    this.#nextAt = now + 1_000 / this.#reduced.to;
  }
}
