import type { Backlog } from '../pipeline/run/backlog.ts';

/** Reads a place's backlog for those who look often: each reading costs money on AWS. */
export class BacklogReader {
  readonly #read: () => Promise<Backlog>;
  readonly #everyMs: number;
  #readAt = Number.NEGATIVE_INFINITY;
  #known: Backlog | undefined;

  constructor(read: () => Promise<Backlog>, everyMs: number) {
    this.#read = read;
    this.#everyMs = everyMs;
  }

  /** The latest reading; undefined before the first, or if it has failed. Begins one when due. */
  get latest(): Backlog | undefined {
    const now = performance.now();
    if (now - this.#readAt >= this.#everyMs) {
      this.#readAt = now;
      void this.#read().then(
        (backlog) => {
          this.#known = backlog;
        },
        () => {
          this.#known = undefined;
        },
      );
    }
    return this.#known;
  }
}
