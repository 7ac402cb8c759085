import { cancelledLine, failedLine, type ResultLine } from '../messages/result.ts';
import type { IndexRange } from '../messages/result-message.ts';
import { ResultBatch } from '../messages/result-message.ts';
import type { RunLedger } from '../run/ledger.ts';

/** What becomes of inputs that have no result when their run ends before them. */
export type Remainder = 'cancelled' | 'lost';

/** Who reports a result that no worker did. */
const COLLECTOR = 'collector';

/** Results that are handed on at once: millions of inputs may remain. */
const BATCH = 10_000;

/**
 * Inputs that got their result by the end of their run. They are entered at once, so that the
 * ledger balances, and become lines as these are taken.
 */
export class Unfinished {
  readonly #remainder: Remainder;
  readonly #ranges: IndexRange[] = [];

  /**
   * Enters all inputs that have no result.
   *
   * @param end the first index beyond the run's inputs
   */
  constructor(ledger: RunLedger, remainder: Remainder, end: number) {
    this.#remainder = remainder;
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

  /** Their results, with other lines between them. @param others in the order of their indexes */
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
    const lineOf = this.#remainder === 'lost' ? lostLine : cancelledLine;
    let at = 0;
    for (const [first, last] of this.#ranges) {
      for (let other = others[at]; other && other.index < first; other = others[++at]) yield other;
      for (let index = first; index <= last; index++) yield lineOf(index);
    }
    yield* others.slice(at);
  }
}

function lostLine(index: number): ResultLine {
  const message =
    'The deadline of its run came before a result did. Its task may not have been run.';
  const failure = { code: 'Lost', name: 'Lost', message, attempts: 0 } as const;
  return { index, status: 'failed', text: failedLine(index, failure, 0, COLLECTOR) };
}
