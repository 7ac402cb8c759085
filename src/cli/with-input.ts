import type { ResultLine } from '../index.ts';

/** Inputs that are kept until their results come. */
export interface Carried {
  /** The same inputs, to be passed on. */
  batches: AsyncIterable<string[]>;
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
  async function* batches() {
    let index = 0;
    for await (const batch of source) {
      for (const text of batch) {
        if (!hasResult(index)) out.set(index, text);
        index++;
      }
      yield batch;
    }
  }
  return {
    batches: batches(),
    join({ index, text }) {
      const input = out.get(index);
      out.delete(index);
      return input === undefined ? text : `${text.slice(0, -1)},"input":${input}}`;
    },
  };
}
