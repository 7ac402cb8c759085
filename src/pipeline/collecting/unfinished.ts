import {
  cancelledLine,
  type FailureCode,
  failedLine,
  type ResultLine,
} from '../messages/result.ts';
import type { IndexRange } from '../messages/result-message.ts';
import { ResultBatch } from '../messages/result-message.ts';
import type { RunLedger } from '../run/ledger.ts';

/** Outcome of inputs that have no result when their run ends. */
export type Remainder = 'cancelled' | 'lost';

/** Names the reporter of results that no worker reported. */
const COLLECTOR = 'collector';

/** Results in one batch: millions of inputs may remain. */
const BATCH = 10_000;

/**
 * Inputs that have no result when their run ends. They are entered in the ledger at once, so that
 * it balances; their result lines are made as the consumer takes them.
 */
export class Unfinished {
  readonly #remainder: Remainder;
  readonly #isUnstarted: (index: number) => boolean;
  readonly #ranges: IndexRange[] = [];

  /**
   * Enters all inputs that have no result.
   *
   * @param end the index after the last input of the run
   * @param isUnstarted whether an input has certainly not been started
   */
  constructor(
    ledger: RunLedger,
    remainder: Remainder,
    end: number,
    isUnstarted: (index: number) => boolean = () => false,
  ) {
    this.#remainder = remainder;
    this.#isUnstarted = isUnstarted;
    const status = remainder === 'lost' ? 'failed' : 'cancelled';
    let first: number | undefined;
    for (let index = 0; index < end; index++) {
      if (!ledger.has(index) && ledger.enter(index, status)) first ??= index;
      else if (first !== undefined) {
        this.#ranges.push([first, index - 1]);
        first = undefined;
      }
    }
    if (first !== undefined) this.#ranges.push([first, end - 1]);
  }

  /** Yields their results, merged with other lines. @param others sorted by index */
  *batches(others: readonly ResultLine[] = []): Generator<ResultBatch, void> {
    let lines: ResultLine[] = [];
    for (const line of this.#merged(others)) {
      lines.push(line);
      if (lines.length < BATCH) continue;
      yield ResultBatch.ofLines(lines);
      lines = [];
    }
    yield ResultBatch.ofLines(lines);
  }

  *#merged(others: readonly ResultLine[]): Generator<ResultLine, void> {
    let at = 0;
    for (const [first, last] of this.#ranges) {
      for (let other = others[at]; other && other.index < first; other = others[++at]) yield other;
      for (let index = first; index <= last; index++) yield this.#lineOf(index);
    }
    yield* others.slice(at);
  }

  #lineOf(index: number): ResultLine {
    if (this.#remainder === 'cancelled') return cancelledLine(index);
    return this.#isUnstarted(index)
      ? failed(index, 'NotStarted', NOT_STARTED)
      : failed(index, 'Lost', LOST);
  }
}

const LOST =
  'The run reached its deadline before this input had a result. The task may not have run.';
const NOT_STARTED =
  'The run reached its deadline before a worker received this input, so the task was not started.';

function failed(index: number, code: FailureCode, message: string): ResultLine {
  const failure = { code, name: code, message, attempts: 0 };
  return { index, status: 'failed', text: failedLine(index, failure, 0, COLLECTOR) };
}
