import { FanfoldError } from '../index.ts';
import type { BadLine, BadLines } from '../inputs/source.ts';
import { count } from './log.ts';

/** Handling of a line or row that is not an input. */
export type OnBadInput = 'fail' | 'skip' | 'report';

const CHOICES: readonly OnBadInput[] = ['fail', 'skip', 'report'];

/** Advice on a bad line that ends the run. */
export const BAD_INPUT_REMEDY =
  'Correct it, or leave bad inputs out with --on-bad-input skip, or have them reported as failed with --on-bad-input report.';

/** Characters of a bad line that a result shows. */
const TEXT_LENGTH = 1_000;

/** Reads the option. @throws FanfoldError */
export function onBadInputOf(given: string): OnBadInput {
  const choice = CHOICES.find((one) => one === given);
  if (choice !== undefined) return choice;
  throw new FanfoldError(
    'BadOption',
    `--on-bad-input must be ${CHOICES.join(', ')}; got "${given}".`,
  );
}

/** Bad lines and rows of the inputs: counted and left out, or kept until they are reported. */
export class BadInputs implements BadLines {
  readonly #isReported: boolean;
  #count = 0;
  #example = '';
  #fresh: BadLine[] = [];

  constructor(choice: Exclude<OnBadInput, 'fail'>) {
    this.#isReported = choice === 'report';
  }

  take(bad: BadLine): string | undefined {
    this.#count++;
    this.#example ||= bad.reason;
    if (!this.#isReported) return undefined;
    const text = bad.text.slice(0, TEXT_LENGTH);
    this.#fresh.push({ ...bad, text });
    // Holds the input's index, and shows a resumed run that the line is still the same.
    return JSON.stringify(text);
  }

  /** Returns the bad lines since the last call, each of which has an index. */
  drain(): BadLine[] {
    return this.#fresh.splice(0);
  }

  /** A sentence about the lines that were left out; undefined if there are none. */
  get leftOut(): string | undefined {
    if (this.#isReported || this.#count === 0) return undefined;
    return `${count(this.#count, 'bad input')} ${this.#count === 1 ? 'was' : 'were'} left out; the first: ${this.#example}`;
  }
}
