import type { ResultLine } from '../messages/result.ts';
import { ResultBatch } from '../messages/result-message.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { Delivery, Received } from './result-receiver.ts';

/**
 * Puts results in input order. An early result is kept in memory, and its delivery stays in the
 * queue until all of its results are handed on, so that none is lost if this process dies. A
 * delivery that repeats a kept result stays in the queue as well: it may outlive the first one.
 */
export class InOrder {
  readonly #acknowledge: (received: Received) => void;
  readonly #ledger: Pick<RunLedger, 'has'>;
  readonly #early = new Map<number, ResultLine>();
  /** Waiting deliveries, by the last index among their results. */
  readonly #waiting = new Map<number, Received[]>();
  #through: Received[] = [];
  #next: number;

  /**
   * @param next the index of the first result to hand on
   * @param ledger a result that the ledger refused, or removed again, does not belong to the run:
   * it is neither waited for nor handed on
   */
  constructor(
    next: number,
    acknowledge: (received: Received) => void,
    ledger: Pick<RunLedger, 'has'>,
  ) {
    this.#next = next;
    this.#ledger = ledger;
    this.#acknowledge = acknowledge;
  }

  /** Adds a delivery's fresh results, and returns those whose turn it is. */
  add(delivery: Delivery, fresh: readonly ResultBatch[]): ResultBatch[] {
    for (const { lines } of fresh) for (const line of lines) this.#early.set(line.index, line);
    const last = this.#lastOf(delivery);
    // Keeps the handles only: SQS redelivers a message every minute until an early input's turn.
    const { receiptHandles, condemned } = delivery;
    const received = { receiptHandles, condemned };
    if (last < this.#next) this.#through.push(received);
    else this.#waiting.set(last, [...(this.#waiting.get(last) ?? []), received]);
    const turn: ResultLine[] = [];
    for (let line = this.#early.get(this.#next); line; line = this.#early.get(this.#next)) {
      turn.push(line);
      this.#early.delete(this.#next);
      this.#through.push(...(this.#waiting.get(this.#next) ?? []));
      this.#waiting.delete(this.#next++);
    }
    return turn.length > 0 ? [ResultBatch.ofLines(turn)] : [];
  }

  /** Must be called once the results that `add` returned are consumed. */
  acknowledgeConsumed(): void {
    for (const received of this.#through) this.#acknowledge(received);
    this.#through = [];
  }

  /** Whether nothing waits for its turn. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** All early results and the last ones, in order. */
  rest(last: readonly ResultBatch[]): ResultLine[] {
    const lines = [...this.#early.values(), ...last.flatMap((batch) => batch.lines)];
    return lines
      .filter(({ index }) => this.#ledger.has(index))
      .sort((one, other) => one.index - other.index);
  }

  #lastOf({ batches }: Delivery): number {
    let last = -1;
    for (const { lines } of batches) {
      for (const { index } of lines) if (index > last && this.#ledger.has(index)) last = index;
    }
    return last;
  }
}
