import { MAX_INPUT_BYTES } from '../messages/chunk.ts';
import type { IndexRange } from '../messages/result-message.ts';
import type { Payloads } from '../run/payloads.ts';
import { isLargeInput, storeInput } from '../run/store-input.ts';
import type { Page } from './pages.ts';

/**
 * Length of an input in an object, as the window counts it: a local run has its objects on this
 * machine's disk, and should not copy all inputs there before the first ones have run.
 */
const COUNTED_LENGTH = 65_536;

/** Length of a page's inputs for the window: only short ones are in messages. */
export function lengthIn({ texts, length }: Page): number {
  if (length <= MAX_INPUT_BYTES / 3) return length;
  const lengths = texts.map((text) => (isLargeInput(text) ? COUNTED_LENGTH : text.length));
  return lengths.reduce((sum, one) => sum + one, 0);
}

/** A page's inputs as lines. Large ones are stored, and have a line that stands for them. */
export async function withPayloads(
  { texts, indexes }: { texts: string[]; indexes: readonly IndexRange[] },
  { payloads, runId }: { payloads?: Payloads | undefined; runId: string },
): Promise<string> {
  if (!texts.some(isLargeInput)) return texts.join('\n');
  const numbers = numbersIn(indexes);
  const lines: string[] = [];
  for (const text of texts) {
    const index = numbers.next().value ?? 0;
    lines.push(isLargeInput(text) ? await storeInput(payloads, runId, index, text) : text);
  }
  return lines.join('\n');
}

function* numbersIn(ranges: readonly IndexRange[]): Generator<number, void> {
  for (const [first, last] of ranges) for (let index = first; index <= last; index++) yield index;
}
