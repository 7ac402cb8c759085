import type { DirtySet } from './dirty-set.ts';
import type { Draft, Message } from './message.ts';
import type { Memory, Sent, Taken } from './queue-state.ts';

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

/** Values by key, each remembered for a fixed time after it was set. */
export class Recent<T> {
  readonly #ms: number;
  /** In the order of expiry. */
  readonly #entries = new Map<string, { value: T; endsAt: number }>();

  constructor(seconds: number) {
    this.#ms = seconds * 1000;
  }

  get(key: string, now: number): T | undefined {
    this.#forget(now);
    return this.#entries.get(key)?.value;
  }

  /** @returns when the value expires */
  set(key: string, value: T, now: number): number {
    this.#forget(now);
    const endsAt = now + this.#ms;
    if (this.#ms > 0) this.restore(key, value, endsAt);
    return endsAt;
  }

  restore(key: string, value: T, endsAt: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, endsAt });
  }

  clear(): void {
    this.#entries.clear();
  }

  #forget(now: number): void {
    for (const [key, { endsAt }] of this.#entries) {
      if (endsAt > now) return;
      this.#entries.delete(key);
    }
  }
}
