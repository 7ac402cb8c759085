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
  /** Returns a result's text, with its input added if that was asked for. */
  join(line: ResultLine): string;
  /** Keeps the inputs of these failures, of the results that were joined last, for the report. */
  keep(examples: readonly number[]): void;
  /** The inputs that were kept, as JSON texts; undefined if none were to be. */
  readonly examples: ReadonlyMap<number, string> | undefined;
}

export interface CarryOptions {
  /** True if results get their inputs. */
  isJoined: boolean;
  /** True if the report shows inputs that failed. */
  keepsFailed: boolean;
}

/** Longest text of an input in a report, in characters. */
const LONGEST_EXAMPLE = 2_000;

/** Most examples: rare kinds of failure are forgotten, and their examples with the oldest. */
const MOST_EXAMPLES = 2_000;

/**
 * Keeps each input from when it is passed on until its result arrives. Backpressure limits their
 * number.
 *
 * @param hasResult whether an input has a result from before, so that none will arrive
 */
export function carryInputs(
  source: AsyncIterable<string[]>,
  hasResult: (index: number) => boolean,
  { isJoined, keepsFailed }: CarryOptions,
): Carried {
  const out = new Map<number, string>();
  const failed = new Map<number, string>();
  const examples = keepsFailed ? new Map<number, string>() : undefined;
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
    join({ index, status, text }) {
      const input = out.get(index);
      out.delete(index);
      if (input === undefined) return text;
      if (status === 'failed' && keepsFailed) failed.set(index, cut(input));
      return isJoined ? `${text.slice(0, -1)},"input":${input}}` : text;
    },
    keep(indexes) {
      for (const index of indexes) {
        const input = failed.get(index);
        if (input !== undefined) examples?.set(index, input);
      }
      failed.clear();
      for (const oldest of examples?.keys() ?? []) {
        if ((examples?.size ?? 0) <= MOST_EXAMPLES) break;
        examples?.delete(oldest);
      }
    },
    examples,
  };
}

function cut(text: string): string {
  return text.length <= LONGEST_EXAMPLE ? text : `${text.slice(0, LONGEST_EXAMPLE - 1)}\u2026`;
}
