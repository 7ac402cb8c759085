import type { Delivery } from './collect.ts';
import type { ResultLine } from './result.ts';
import { ResultBatch } from './result-message.ts';

/** A delivery some of whose results are still to be handed on. */
interface Held {
  delivery: Delivery;
  left: number;
}

/**
 * Puts results in input order. What comes too early is kept, and its delivery stays in the queue
 * until all of it was handed on, so that nothing is lost with this process.
 */
export class InOrder {
  readonly #acknowledge: (delivery: Delivery) => void;
  readonly #early = new Map<number, { line: ResultLine; held: Held }>();
  #through: Held[] = [];
  #next: number;

  /** @param next the index of the first result to hand on */
  constructor(next: number, acknowledge: (delivery: Delivery) => void) {
    this.#next = next;
    this.#acknowledge = acknowledge;
  }

  /** Takes a delivery's fresh results in; gives all whose turn it is. */
  add(delivery: Delivery, fresh: readonly ResultBatch[]): ResultBatch[] {
    const held: Held = { delivery, left: 0 };
    for (const { lines } of fresh) {
      held.left += lines.length;
      for (const line of lines) this.#early.set(line.index, { line, held });
    }
    // A copy of what is still kept here must not be deleted: it may be all that outlives this.
    const copies = delivery.batches.some(({ lines }) =>
      lines.some(({ index }) => index >= this.#next),
    );
    if (held.left === 0 && !copies) this.#through.push(held);
    const turn: ResultLine[] = [];
    for (let at = this.#early.get(this.#next); at; at = this.#early.get(this.#next)) {
      this.#early.delete(this.#next++);
      turn.push(at.line);
      if (--at.held.left === 0) this.#through.push(at.held);
    }
    return turn.length > 0 ? [ResultBatch.ofLines(turn)] : [];
  }

  /** Call it when what `add` gave was taken. */
  acknowledgeTaken(): void {
    for (const { delivery } of this.#through) this.#acknowledge(delivery);
    this.#through = [];
  }

  /** All that is left, with what came last, in order. */
  rest(last: readonly ResultBatch[]): ResultBatch[] {
    const kept = Array.from(this.#early.values(), ({ line }) => line);
    const lines = [...kept, ...last.flatMap((batch) => batch.lines)];
    return [ResultBatch.ofLines(lines.sort((one, other) => one.index - other.index))];
  }
}
