import { type Failure, FanfoldError, type RunLedger } from '../index.ts';
import type { BadLine, BadLines } from '../inputs/source.ts';
import { failedLine, isJson } from '../internal.ts';
import { count } from './log.ts';
import type { RunOutput } from './resume/index.ts';

/** What happens with a line or row that is not an input. */
export type OnBadInput = 'fail' | 'skip' | 'report';

const CHOICES: readonly OnBadInput[] = ['fail', 'skip', 'report'];

/** Characters of a bad line that a result shows. */
const TEXT_LENGTH = 1_000;
/** The reporter of these results: no worker has seen the inputs. */
const READER = 'reader';

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
  readonly isJson = isJson;
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

/**
 * Passes inputs on, and ends the bad ones among them as `failed`: their results are written, and
 * entered in the ledger before the run sees the inputs, so that it does not run them.
 */
export async function* reportBad(
  batches: AsyncIterable<string[]>,
  bad: BadInputs,
  { write, failures }: Pick<RunOutput, 'write' | 'failures'>,
  ledger: RunLedger,
): AsyncGenerator<string[], void> {
  for await (const batch of batches) {
    let lines = '';
    for (const { index, text, reason, place } of bad.drain()) {
      ledger.expect(index + 1);
      // An earlier command may have written it.
      if (ledger.has(index) || !ledger.enter(index, 'failed')) continue;
      const name = 'InvalidInput';
      const error: Failure = { code: name, name, message: reason, attempts: 0, place, text };
      failures.add({ index, status: 'failed', error, ms: 0, worker: READER });
      lines += `${failedLine(index, error, 0, READER)}\n`;
    }
    if (lines !== '') await write(lines);
    yield batch;
  }
}
