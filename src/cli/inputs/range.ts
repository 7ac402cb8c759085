import { FanfoldError } from '../../index.ts';
import type { OpenedInputs } from './opened.ts';

const BATCH = 1_000;
const COUNT = /^\d+$/;
const BOTH_ENDS = /^(-?\d+)\.\.(-?\d+)$/;

/** Whole numbers: `N` is 0 to N-1, `A..B` is A to B. */
export function openRange(range: string): OpenedInputs {
  const { from, count } = boundsOf(range);
  return {
    total: count,
    locate: () => undefined,
    close() {},
    async *batches() {
      for (let done = 0; done < count; done += BATCH) {
        const length = Math.min(BATCH, count - done);
        yield Array.from({ length }, (_, at) => String(from + done + at));
      }
    },
  };
}

function boundsOf(range: string): { from: number; count: number } {
  const [, first, last] = BOTH_ENDS.exec(range) ?? [];
  const from = first === undefined ? 0 : Number(first);
  const to = last === undefined ? Number(range) - 1 : Number(last);
  const isRange = COUNT.test(range) || first !== undefined;
  if (!isRange || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
    throw new FanfoldError(
      'BadOption',
      `--range is N for the numbers 0 to N-1, or A..B for A to B, like 10 or 1..10; "${range}" is neither.`,
    );
  }
  if (to < from - 1 || (first !== undefined && to < from)) {
    throw new FanfoldError(
      'BadOption',
      `--range ${range} ends before it begins: the smaller number comes first.`,
    );
  }
  return { from, count: to - from + 1 };
}
