import type { Ranked } from './heap.ts';
import type { Linked } from './linked-list.ts';
import type { MessageAttributes } from './message-attributes.ts';

/** A message that has passed every check and is to be put on a queue. */
export interface Draft {
  readonly id: string;
  readonly body: string;
  /** Undefined where digests are left out. */
  readonly bodyMd5: string | undefined;
  readonly attributes: MessageAttributes;
  readonly attributesMd5: string | undefined;
  readonly systemAttributesMd5: string | undefined;
  readonly traceHeader: string | undefined;
  /** On a FIFO queue always there. */
  readonly groupId: string | undefined;
  /** On a FIFO queue always there, and only there. */
  readonly deduplicationId: string | undefined;
  readonly senderId: string;
  /** Undefined: the queue's own. */
  readonly delaySeconds: number | undefined;
}

/** `delayed` until its delay ends, `visible` until it is received, `inFlight` until that times out. */
export type MessageState = 'delayed' | 'visible' | 'inFlight';

/** A message on a queue. Only its queue changes it. */
export class Message implements Linked<Message>, Ranked {
  readonly draft: Draft;
  /** In milliseconds since the epoch, as all times here. Kept when it moves to a dead-letter queue. */
  readonly sentAt: number;
  /** What its retention counts from: when it was sent, or moved to a FIFO dead-letter queue. */
  keptSince: number;
  /** Its number in the queue that it is on. */
  number = 0;
  state: MessageState = 'visible';
  /** When the delay or the visibility timeout ends; of a visible one, when it did, or 0. */
  stateEndsAt = 0;
  /** Receives so far, on any queue. */
  receiveCount = 0;
  /** Receives so far, on this queue: what RedrivePolicy counts. */
  receivedHere = 0;
  /** The number in the latest receipt handle. Never given out twice, unlike a count taken back. */
  receipt = 0;
  firstReceivedAt = 0;
  receivedAt = 0;
  deadLetterSourceArn: string | undefined = undefined;
  /** When it became visible, among those of its queue: see `Order`. */
  turn = 0;

  /** When something is to happen to it. */
  rank = 0;
  place = -1;
  previous: Message | undefined = undefined;
  next: Message | undefined = undefined;

  constructor(draft: Draft, sentAt: number) {
    this.draft = draft;
    this.sentAt = sentAt;
    this.keptSince = sentAt;
  }

  /** It is received once more. */
  noteReceive(now: number): void {
    this.receiveCount++;
    this.receivedHere++;
    this.receipt++;
    this.receivedAt = now;
    if (this.receiveCount === 1) this.firstReceivedAt = now;
  }

  /** A receive is undone, but for its receipt, which nobody else gets. */
  forgetReceive(): void {
    this.receiveCount--;
    this.receivedHere--;
  }
}

/** What a receive asks for. */
export interface ReceiveRequest {
  readonly maxMessages: number;
  /** Undefined: the queue's own. */
  readonly visibilitySeconds: number | undefined;
  /** For the same id the same messages are given again. */
  readonly attemptId: string | undefined;
}

/** A message as one receive found it. */
export interface Received {
  readonly draft: Draft;
  readonly handle: string;
  readonly sentAt: number;
  readonly receiveCount: number;
  readonly firstReceivedAt: number;
  readonly deadLetterSourceArn: string | undefined;
  /** On a FIFO queue only. */
  readonly sequenceNumber: string | undefined;
}

export function received(
  message: Message,
  handle: string,
  sequenceNumber: string | undefined,
): Received {
  const { draft, sentAt, receiveCount, firstReceivedAt, deadLetterSourceArn } = message;
  return {
    draft,
    handle,
    sentAt,
    receiveCount,
    firstReceivedAt,
    deadLetterSourceArn,
    sequenceNumber,
  };
}
