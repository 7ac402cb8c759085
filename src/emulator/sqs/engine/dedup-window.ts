import type { DirtySet } from './dirty-set.ts';
import type { Memory, Sent, Taken } from './memory.ts';
import type { Draft, Message } from './message.ts';
import { Recent } from './recent.ts';

/**
 * A queue's memory of the last five minutes: the deduplication ids sent to a FIFO queue, and the
 * messages returned to receives that named their attempt.
 */
export class DedupWindow {
  readonly #sent: Recent<Sent>;
  readonly #attempts: Recent<readonly Taken[]>;
  readonly #changes: DirtySet | undefined;

  constructor(seconds: number, changes: DirtySet | undefined) {
    this.#changes = changes;
    this.#sent = new Recent(seconds);
    this.#attempts = new Recent(seconds);
  }

  /** The answer to the earlier message with the same deduplication id. */
  sentBefore(draft: Draft, byGroup: boolean, now: number): Sent | undefined {
    return this.#sent.get(keyOf(draft, byGroup), now);
  }

  noteSent(draft: Draft, byGroup: boolean, sent: Sent, now: number): void {
    const key = keyOf(draft, byGroup);
    const endsAt = this.#sent.set(key, sent, now);
    this.#changes?.remember({ key, sent, endsAt });
  }

  /** The messages returned to the receive with an attempt id. */
  taken(attemptId: string, now: number): readonly Taken[] | undefined {
    return this.#attempts.get(attemptId, now);
  }

  noteTaken(attemptId: string, messages: readonly Message[], now: number): void {
    const taken = messages.map((message) => ({ number: message.number, receipt: message.receipt }));
    const endsAt = this.#attempts.set(attemptId, taken, now);
    this.#changes?.remember({ key: attemptId, taken, endsAt });
  }

  /** Restores a stored memory. The oldest must come first. */
  restore(memory: Memory): void {
    if ('sent' in memory) this.#sent.restore(memory.key, memory.sent, memory.endsAt);
    else this.#attempts.restore(memory.key, memory.taken, memory.endsAt);
  }

  clear(): void {
    this.#sent.clear();
    this.#attempts.clear();
  }
}

function keyOf({ groupId, deduplicationId = '' }: Draft, byGroup: boolean): string {
  // Neither id can have a space.
  return byGroup ? `${groupId} ${deduplicationId}` : deduplicationId;
}
