import { FanfoldError } from '../../index.ts';
import type { OpenedInputs } from '../../inputs/opened.ts';

const BATCH = 1_000;
const BOUNDS = /^(?:(\d+)\.\.)?(\d+)$/;

/** Opens whole numbers as inputs: `N` is 0 to N-1, `A..B` is A to B. */
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
  const [, first, second] = BOUNDS.exec(range) ?? [];
  if (second === undefined) {
    throw new FanfoldError(
      'BadOption',
      `--range must be N (for 0 to N-1) or A..B (for A to B), with whole numbers from 0, like 10 or 1..10; got "${range}".`,
    );
  }
  const from = Number(first ?? 0);
  const count = first === undefined ? Number(second) : Number(second) - from + 1;
  // The length of 0..9007199254740991 is not a safe integer.
  if (![from, Number(second), count].every(Number.isSafeInteger)) {
    throw new FanfoldError(
      'BadOption',
      `--range ${range} exceeds ${Number.MAX_SAFE_INTEGER}, the largest whole number that JavaScript represents exactly.`,
    );
  }
  if (count < 1 && first !== undefined) {
    throw new FanfoldError(
      'BadOption',
      `--range ${range} ends before it starts: put the smaller number first.`,
    );
  }
  return { from, count };
}
