import type { Ranked } from './heap.ts';
import type { Linked } from './linked-list.ts';
import type { MessageAttributes } from './message-attributes.ts';

/** A message that has passed all checks and can be sent to a queue. */
export interface Draft {
  readonly id: string;
  readonly body: string;
  /** Undefined if digests are turned off. */
  readonly bodyMd5: string | undefined;
  readonly attributes: MessageAttributes;
  readonly attributesMd5: string | undefined;
  readonly systemAttributesMd5: string | undefined;
  readonly traceHeader: string | undefined;
  /** Always present on a FIFO queue. */
  readonly groupId: string | undefined;
  /** Always present on a FIFO queue, and only there. */
  readonly deduplicationId: string | undefined;
  readonly senderId: string;
  /** Undefined: the queue's own delay. */
  readonly delaySeconds: number | undefined;
}

/** `delayed` until its delay ends, `visible` until it is received, `inFlight` until its timeout. */
export type MessageState = 'delayed' | 'visible' | 'inFlight';

/** A message on a queue. Only its queue changes it. */
export class Message implements Linked<Message>, Ranked {
  readonly draft: Draft;
  /** Milliseconds since the epoch, like all times here. A move to a dead-letter queue keeps it. */
  readonly sentAt: number;
  /** Start of its retention: when it was sent, or moved to a FIFO dead-letter queue. */
  keptSince: number;
  /** Its number in the queue that holds it. */
  number = 0;
  state: MessageState = 'visible';
  /** When the delay or the visibility timeout ends; on a visible message, when it ended, or 0. */
  stateEndsAt = 0;
  /** Number of receives so far, on any queue. */
  receiveCount = 0;
  /** Number of receives so far on this queue, which RedrivePolicy limits. */
  receivedHere = 0;
  /** The number in the latest receipt handle. Unlike the receive counts, it is never taken back. */
  receipt = 0;
  firstReceivedAt = 0;
  receivedAt = 0;
  /** The attempt id of its latest receive, while this process runs. */
  attemptId: string | undefined = undefined;
  deadLetterSourceArn: string | undefined = undefined;
  /** Its place among the visible messages of its queue, by when it became visible: see `Order`. */
  turn = 0;

  /** When time alone will change it. */
  rank = 0;
  place = -1;
  previous: Message | undefined = undefined;
  next: Message | undefined = undefined;

  constructor(draft: Draft, sentAt: number) {
    this.draft = draft;
    this.sentAt = sentAt;
    this.keptSince = sentAt;
  }

  /** Counts a receive. */
  noteReceive(now: number, attemptId: string | undefined): void {
    this.attemptId = attemptId;
    this.receiveCount++;
    this.receivedHere++;
    this.receipt++;
    this.receivedAt = now;
    if (this.receiveCount === 1) this.firstReceivedAt = now;
  }

  /** Undoes a receive, except for its receipt, which is not used again. */
  forgetReceive(): void {
    this.receiveCount--;
    this.receivedHere--;
  }
}

/** The parameters of a receive. */
export interface ReceiveRequest {
  readonly maxMessages: number;
  /** Undefined: the queue's own timeout. */
  readonly visibilitySeconds: number | undefined;
  /** A receive with the same id returns the same messages again. */
  readonly attemptId: string | undefined;
}

/** A message as one receive returns it. */
export interface Received {
  readonly draft: Draft;
  readonly handle: string;
  readonly sentAt: number;
  readonly receiveCount: number;
  readonly firstReceivedAt: number;
  readonly deadLetterSourceArn: string | undefined;
  /** Only on a FIFO queue. */
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
