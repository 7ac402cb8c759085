import type { ResultLine } from '../internal.ts';

/** Inputs that are kept until their results come. */
export interface Carried {
  /** The same inputs, to be passed on. */
  batches: AsyncIterable<string[]>;
  /**
   * Reads so many of the inputs, ahead of who takes them: of a run that goes on elsewhere, results
   * may come before this command has read their inputs once more.
   */
  readAhead(count: number): Promise<void>;
  /** A result's text with its input in it. */
  join(line: ResultLine): string;
}

/**
 * Keeps each input while it is out: as many as the run lets out at once.
 *
 * @param hasResult whether an input has its result from before, so that none will come
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
