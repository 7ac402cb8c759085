import type { BegunNotice } from '../messages/notice.ts';

/**
 * An input is condemned when it has been begun this many times without a reported outcome. Workers
 * send these notices from a message's second receive on, so at least five workers have died.
 */
const BEGUN = 6;

/**
 * Detects inputs that may kill their workers. A message's receive count proves little: a throttled
 * function or a lost answer raises it too. The number of times that an input was begun alone in its
 * message is the evidence.
 */
export class PoisonInputs {
  /** By index, then by the message that carried it: a new message is a new attempt. */
  readonly #begun = new Map<number, Map<string, Set<string>>>();

  /** Records that a worker began an input. Returns true when the input must be condemned. */
  begun({ index, message, id }: BegunNotice): boolean {
    const messages = this.#begun.get(index) ?? new Map<string, Set<string>>();
    const ids = messages.get(message) ?? new Set<string>();
    this.#begun.set(index, messages.set(message, ids.add(id)));
    return ids.size >= BEGUN;
  }

  /** Forgets inputs that have a result. */
  forget(hasResult: (index: number) => boolean): void {
    for (const index of this.#begun.keys()) if (hasResult(index)) this.#begun.delete(index);
  }
}
