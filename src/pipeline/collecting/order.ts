import type { ResultLine } from '../messages/result.ts';
import { ResultBatch } from '../messages/result-message.ts';
import type { Delivery } from './collect.ts';

/**
 * Puts results in input order. What comes too early is kept, and its delivery stays in the queue
 * until all of it was handed on, so that nothing is lost with this process. A copy of what is kept
 * stays as well: it may be all that outlives this.
 */
export class InOrder {
  readonly #acknowledge: (delivery: Delivery) => void;
  readonly #early = new Map<number, ResultLine>();
  /** Deliveries by the last index of their results. */
  readonly #waiting = new Map<number, Delivery[]>();
  #through: Delivery[] = [];
  #next: number;

  /** @param next the index of the first result to hand on */
  constructor(next: number, acknowledge: (delivery: Delivery) => void) {
    this.#next = next;
    this.#acknowledge = acknowledge;
  }

  /** Takes a delivery's fresh results in; gives all whose turn it is. */
  add(delivery: Delivery, fresh: readonly ResultBatch[]): ResultBatch[] {
    for (const { lines } of fresh) for (const line of lines) this.#early.set(line.index, line);
    const last = lastOf(delivery);
    if (last < this.#next) this.#through.push(delivery);
    else this.#waiting.set(last, [...(this.#waiting.get(last) ?? []), delivery]);
    const turn: ResultLine[] = [];
    for (let line = this.#early.get(this.#next); line; line = this.#early.get(this.#next)) {
      turn.push(line);
      this.#early.delete(this.#next);
      this.#through.push(...(this.#waiting.get(this.#next) ?? []));
      this.#waiting.delete(this.#next++);
    }
    return turn.length > 0 ? [ResultBatch.ofLines(turn)] : [];
  }

  /** Call it when what `add` gave was taken. */
  acknowledgeTaken(): void {
    for (const delivery of this.#through) this.#acknowledge(delivery);
    this.#through = [];
  }

  /** All that is left, with what came last, in order. */
  rest(last: readonly ResultBatch[]): ResultBatch[] {
    const lines = [...this.#early.values(), ...last.flatMap((batch) => batch.lines)];
    return [ResultBatch.ofLines(lines.sort((one, other) => one.index - other.index))];
  }
}

function lastOf({ batches }: Delivery): number {
  let last = -1;
  for (const { lines } of batches) for (const { index } of lines) last = Math.max(last, index);
  return last;
}
