import type { BegunNotice } from '../messages/notice.ts';

/**
 * An input is condemned when it is begun for so many times with no word of how it ended. Notices
 * begin with a message's second receive, so that five workers have died over it, at least.
 */
const BEGUN = 6;

/**
 * Inputs that workers may have died of. How often a message was received says little: a throttled
 * function raises it too, and an answer that got lost. What counts is how often an input, alone in
 * its message, was begun.
 */
export class PoisonInputs {
  /** By index, and by the message that carried it: a new message is an attempt of its own. */
  readonly #begun = new Map<number, Map<string, Set<string>>>();

  /** Enters that an input is begun. True when that is once too often. */
  begun({ index, message, id }: BegunNotice): boolean {
    const messages = this.#begun.get(index) ?? new Map<string, Set<string>>();
    const ids = messages.get(message) ?? new Set<string>();
    this.#begun.set(index, messages.set(message, ids.add(id)));
    return ids.size >= BEGUN;
  }

  /** Forgets those that have their result. */
  forget(hasResult: (index: number) => boolean): void {
    for (const index of this.#begun.keys()) if (hasResult(index)) this.#begun.delete(index);
  }
}
