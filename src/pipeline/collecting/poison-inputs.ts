import type { BegunNotice } from '../messages/notice.ts';

/**
 * An input is condemned when it has been begun this many times without a reported outcome. Workers
 * send these notices from a message's second receive on, so at least five workers have died.
 */
const BEGUN = 6;

/** Notices of one message, by their ids. */
type Begun = Map<string, BegunNotice>;

/**
 * Detects inputs that may kill their workers. A message's receive count proves little: a throttled
 * function or a lost answer raises it too. The number of times that an input was begun alone in its
 * message is the evidence. Those that overlap count once: SQS had delivered a message several times,
 * and each worker may be alive.
 */
export class PoisonInputs {
  /** By index, then by the message that carried it: a new message is a new attempt. */
  readonly #begun = new Map<number, Map<string, Begun>>();

  /** Records that a worker began an input. Returns true when the input must be condemned. */
  begun(notice: BegunNotice): boolean {
    const { index, message, id } = notice;
    const messages = this.#begun.get(index) ?? new Map<string, Begun>();
    const begun: Begun = messages.get(message) ?? new Map();
    this.#begun.set(index, messages.set(message, begun.set(id, notice)));
    return begun.size >= BEGUN && countApart([...begun.values()]) >= BEGUN;
  }

  /** Forgets inputs that have a result. */
  forget(hasResult: (index: number) => boolean): void {
    for (const index of this.#begun.keys()) if (hasResult(index)) this.#begun.delete(index);
  }
}

/** Number of those that began after the one counted before had to end. */
function countApart(begun: BegunNotice[]): number {
  let count = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const { at, until } of begun.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0))) {
    if (at !== undefined && at < last) continue;
    count++;
    if (until !== undefined) last = until;
  }
  return count;
}
