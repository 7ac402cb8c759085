import type { ResultLine } from '../internal.ts';

/** Inputs that are kept until their results arrive. */
export interface Carried {
  /** The same inputs, to pass on. */
  batches: AsyncIterable<string[]>;
  /**
   * Reads the first `count` inputs in advance. If a run elsewhere is resumed, results may arrive
   * before this command has read their inputs again.
   */
  readAhead(count: number): Promise<void>;
  /** Returns a result's text with its input added. */
  join(line: ResultLine): string;
}

/**
 * Keeps each input from when it is passed on until its result arrives. Backpressure limits their
 * number.
 *
 * @param hasResult whether an input has a result from before, so that none will arrive
 */
export function carryInputs(
  source: AsyncIterable<string[]>,
  hasResult: (index: number) => boolean,
): Carried {
  const out = new Map<number, string>();
  const ahead: string[][] = [];
  let read = 0;
  async function* kept() {
    for await (const batch of source) {
      for (const text of batch) {
        if (!hasResult(read)) out.set(read, text);
        read++;
      }
      yield batch;
    }
  }
  const batches = kept();
  async function* all() {
    yield* ahead.splice(0);
    yield* batches;
  }
  return {
    batches: all(),
    async readAhead(count) {
      while (read < count) {
        const { done, value } = await batches.next();
        if (done) return;
        ahead.push(value);
      }
    },
    join({ index, text }) {
      const input = out.get(index);
      out.delete(index);
      return input === undefined ? text : `${text.slice(0, -1)},"input":${input}}`;
    },
  };
}
