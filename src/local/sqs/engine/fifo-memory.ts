import type { Draft, Message } from './message.ts';
import { Recent } from './recent.ts';

/** What a sender is told of its message. */
export interface Sent {
  readonly id: string;
  readonly sequenceNumber: string | undefined;
}

/** A message and the receipt that a receive gave out for it. */
export interface Taken {
  readonly message: Message;
  readonly receipt: number;
}

/** What a FIFO queue remembers for five minutes: which ids were sent, and what receives gave out. */
export class FifoMemory {
  readonly #sent: Recent<Sent>;
  readonly #attempts: Recent<readonly Taken[]>;

  constructor(seconds: number) {
    this.#sent = new Recent(seconds);
    this.#attempts = new Recent(seconds);
  }

  /** What was told of the message that has the same deduplication id. */
  sentBefore(draft: Draft, byGroup: boolean, now: number): Sent | undefined {
    return this.#sent.get(keyOf(draft, byGroup), now);
  }

  noteSent(draft: Draft, byGroup: boolean, sent: Sent, now: number): void {
    this.#sent.set(keyOf(draft, byGroup), sent, now);
  }

  /** What the receive of an attempt id gave out. */
  taken(attemptId: string, now: number): readonly Taken[] | undefined {
    return this.#attempts.get(attemptId, now);
  }

  noteTaken(attemptId: string, messages: readonly Message[], now: number): void {
    const taken = messages.map((message) => ({ message, receipt: message.receipt }));
    this.#attempts.set(attemptId, taken, now);
  }

  clear(): void {
    this.#sent.clear();
    this.#attempts.clear();
  }
}

function keyOf({ groupId, deduplicationId = '' }: Draft, byGroup: boolean): string {
  // Neither has a space.
  return byGroup ? `${groupId} ${deduplicationId}` : deduplicationId;
}
