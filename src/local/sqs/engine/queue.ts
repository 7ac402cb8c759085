import { randomUUID } from 'node:crypto';
import { invalidValue } from '../errors.ts';
import { MAX_IN_FLIGHT, VISIBILITY_SECONDS } from '../limits.ts';
import { Heap } from './heap.ts';
import { type Draft, Message, type Received } from './message.ts';
import { FairOrder, FifoOrder, type Order } from './order.ts';
import { readHandle, writeHandle } from './receipt.ts';
import { Recent } from './recent.ts';
import {
  type Attributes,
  changed,
  initialAttributes,
  type Settings,
  settingsOf,
} from './settings.ts';

/** What a queue needs of the queues around it. */
export interface Surroundings {
  /** The dead-letter queue that an ARN names; undefined when it is gone or refuses the source. */
  deadLetterQueue(arn: string, sourceArn: string): Queue | undefined;
  /** Told when a message of the queue became visible, or when the next one will has changed. */
  onChange(queue: Queue): void;
}

export interface ReceiveRequest {
  readonly maxMessages: number;
  /** Undefined: the queue's own. */
  readonly visibilitySeconds: number | undefined;
  /** A FIFO queue gives the same messages for the same id again. */
  readonly attemptId: string | undefined;
}

/** What a sender is told of its message. */
export interface Sent {
  readonly id: string;
  readonly sequenceNumber: string | undefined;
}

export interface QueueIdentity {
  readonly name: string;
  readonly arn: string;
  /** Tells this queue's receipt handles from those of an earlier queue of its name. */
  readonly uid: string;
  readonly isFifo: boolean;
  /** How long a FIFO queue remembers deduplication ids and receives, in seconds. */
  readonly memorySeconds: number;
}

/**
 * A queue, standard or FIFO. A message is
 *
 *   delayed  -> visible             when its delay ends
 *   visible  -> inFlight            when it is received
 *   inFlight -> visible             when its visibility timeout ends, or is set to 0
 *   visible  -> (another queue)     when it is to be received once more than RedrivePolicy allows
 *   any      -> (gone)              when it is deleted or purged, or its retention ends
 *
 * Which of the visible ones is received next is its `Order`'s to say. Nothing here waits: what time
 * has changed is settled at the next call, each of which takes the present moment. So the cost of a
 * call does not depend on the queue's depth beyond its logarithm.
 */
export class Queue {
  readonly name: string;
  readonly arn: string;
  readonly isFifo: boolean;
  readonly tags = new Map<string, string>();
  readonly createdAt: number;
  modifiedAt: number;
  attributes: Attributes;
  settings: Settings;
  purgedAt = Number.NEGATIVE_INFINITY;

  readonly #surroundings: Surroundings;
  readonly #uid: string;
  readonly #messages = new Map<number, Message>();
  readonly #order: Order;
  readonly #deadlines = new Heap<Message>();
  /** By deduplication id, and group where that is its scope. */
  readonly #sent: Recent<Sent>;
  /** What a receive gave out, by its attempt id. */
  readonly #attempts: Recent<{ message: Message; receipt: number }[]>;
  #visible = 0;
  #inFlight = 0;
  #delayed = 0;
  #lastNumber = 0;

  constructor(
    { name, arn, uid, isFifo, memorySeconds }: QueueIdentity,
    surroundings: Surroundings,
    now: number,
  ) {
    this.name = name;
    this.arn = arn;
    this.isFifo = isFifo;
    this.attributes = initialAttributes(isFifo);
    this.settings = settingsOf(this.attributes);
    this.#uid = uid;
    this.#order = isFifo ? new FifoOrder() : new FairOrder();
    this.#sent = new Recent(memorySeconds);
    this.#attempts = new Recent(memorySeconds);
    this.#surroundings = surroundings;
    this.createdAt = now;
    this.modifiedAt = now;
  }

  setAttributes(change: Attributes, now: number): void {
    this.#settle(now);
    const { retentionSeconds, delaySeconds } = this.settings;
    this.attributes = changed(this.attributes, change);
    this.settings = settingsOf(this.attributes);
    this.modifiedAt = now;
    // On a FIFO queue a new delay holds for the messages that are there, a new retention on both.
    const delayMoved = this.isFifo && this.settings.delaySeconds !== delaySeconds;
    if (this.settings.retentionSeconds === retentionSeconds && !delayMoved) return;
    for (const message of this.#messages.values()) {
      if (delayMoved && message.state === 'delayed') {
        message.stateEndsAt = message.sentAt + this.settings.delaySeconds * 1000;
      }
      this.#setDeadline(message);
    }
    this.#surroundings.onChange(this);
  }

  send(draft: Draft, now: number): Sent {
    const key = this.#deduplicationKey(draft);
    const before = key === undefined ? undefined : this.#sent.get(key, now);
    if (before) return before;
    const message = new Message(draft, now);
    const delaySeconds = draft.delaySeconds ?? this.settings.delaySeconds;
    if (delaySeconds > 0) this.#insert(message, 'delayed', now + delaySeconds * 1000);
    else this.#insert(message, 'visible', 0);
    const sent = { id: draft.id, sequenceNumber: this.#sequenceNumber(message) };
    if (key !== undefined) this.#sent.set(key, sent, now);
    return sent;
  }

  #deduplicationKey({ groupId, deduplicationId }: Draft): string | undefined {
    if (deduplicationId === undefined || !this.settings.deduplicatesByGroup) return deduplicationId;
    // Neither has a space.
    return `${groupId} ${deduplicationId}`;
  }

  /** Takes a message that another queue gives up on. */
  #accept(message: Message, sourceArn: string, now: number): void {
    message.deadLetterSourceArn = sourceArn;
    if (this.isFifo) message.keptSince = now;
    message.receivedHere = 0;
    this.#insert(message, 'visible', 0);
  }

  receive(request: ReceiveRequest, now: number): Received[] {
    const { maxMessages, visibilitySeconds, attemptId } = request;
    this.#settle(now);
    const hiddenMs = (visibilitySeconds ?? this.settings.visibilitySeconds) * 1000;
    const again = attemptId === undefined ? undefined : this.#receivedAs(attemptId, hiddenMs, now);
    if (again) return again;
    const received: Message[] = [];
    while (received.length < maxMessages && !this.isFull) {
      const message = this.#order.next(received.at(-1));
      if (message === undefined) break;
      if (this.#redrive(message, now)) continue;
      this.#leaveState(message);
      message.receiveCount++;
      message.receivedHere++;
      message.receipt++;
      message.receivedAt = now;
      if (message.receiveCount === 1) message.firstReceivedAt = now;
      this.#enterState(message, 'inFlight', now + hiddenMs);
      this.#setDeadline(message);
      received.push(message);
    }
    if (attemptId !== undefined && received.length > 0) {
      const attempt = received.map((message) => ({ message, receipt: message.receipt }));
      this.#attempts.set(attemptId, attempt, now);
    }
    return received.map((message) => this.#snapshot(message));
  }

  /**
   * What a receive of that id gave out, hidden again from now on; undefined where there was none,
   * or something has become of one of its messages.
   */
  #receivedAs(attemptId: string, hiddenMs: number, now: number): Received[] | undefined {
    const attempt = this.#attempts.get(attemptId, now);
    if (!attempt?.every(({ message, receipt }) => this.#isHeld(message, receipt))) return undefined;
    return attempt.map(({ message }) => {
      message.stateEndsAt = now + hiddenMs;
      this.#setDeadline(message);
      return this.#snapshot(message);
    });
  }

  #isHeld(message: Message, receipt: number): boolean {
    const { number, state } = message;
    return (
      this.#messages.get(number) === message && state === 'inFlight' && message.receipt === receipt
    );
  }

  /** Whether no more messages can be in flight. */
  get isFull(): boolean {
    return this.#inFlight >= MAX_IN_FLIGHT;
  }

  /**
   * Takes back what a receive gave to a caller that did not get it: as if it had not been received.
   * A message that has moved on in the meantime stays as it is.
   */
  takeBack(handle: string): void {
    const message = this.#find(handle);
    if (message?.state !== 'inFlight') return;
    message.receiveCount--;
    message.receivedHere--;
    this.#leaveState(message);
    message.state = 'visible';
    this.#visible++;
    this.#order.add(message, true);
    this.#setDeadline(message);
    this.#surroundings.onChange(this);
  }

  /**
   * Deletes a message by the handle of its latest receive, timed out or not, though on a FIFO queue
   * not timed out. Deleting what is gone succeeds, and so does an older handle, but it deletes
   * nothing: that much AWS allows itself.
   */
  delete(handle: string, now: number): void {
    this.#settle(now);
    this.#checkNotExpired(handle);
    const message = this.#find(handle);
    if (message !== undefined) this.#remove(message);
  }

  /** A FIFO queue may have given the message, or its group, to somebody else by then. */
  #checkNotExpired(handle: string): void {
    if (!this.isFifo) return;
    const { number, receive } = readHandle(this.#uid, handle);
    const message = this.#messages.get(number);
    if (message === undefined || this.#isHeld(message, receive)) return;
    throw invalidValue('ReceiptHandle', handle, 'The receipt handle has expired.');
  }

  /**
   * Takes the next visible message away, to be put on another queue; false when there is none, or
   * none that may be moved. A message that is moved by hand is a new one there.
   */
  moveNext(target: (message: Readonly<Message>) => Queue | undefined, now: number): boolean {
    this.#settle(now);
    const message = this.#order.next(undefined);
    if (message === undefined) return false;
    const queue = target(message);
    if (queue === undefined || queue === this) return false;
    this.#remove(message);
    queue.#insert(new Message({ ...message.draft, id: randomUUID() }, now), 'visible', 0);
    return true;
  }

  changeVisibility(handle: string, seconds: number, now: number): void {
    this.#settle(now);
    this.#checkNotExpired(handle);
    const message = this.#find(handle);
    if (message === undefined) {
      const reason = 'Message does not exist or is not available for visibility timeout change.';
      throw invalidValue('ReceiptHandle', handle, reason);
    }
    const { max } = VISIBILITY_SECONDS;
    if (now + seconds * 1000 > message.receivedAt + max * 1000) {
      const reason = `Total VisibilityTimeout for the message is beyond the limit [${max} seconds]`;
      throw invalidValue('VisibilityTimeout', seconds, reason);
    }
    // A message whose timeout has passed, but that nobody has received again, is hidden again.
    this.#leaveState(message);
    if (seconds > 0) this.#enterState(message, 'inFlight', now + seconds * 1000);
    else this.#enterState(message, 'visible', 0);
    this.#setDeadline(message);
    this.#surroundings.onChange(this);
  }

  purge(now: number): void {
    this.purgedAt = now;
    this.#messages.clear();
    this.#order.clear();
    this.#deadlines.clear();
    this.#sent.clear();
    this.#attempts.clear();
    this.#visible = 0;
    this.#inFlight = 0;
    this.#delayed = 0;
  }

  counts(now: number): { visible: number; inFlight: number; delayed: number } {
    this.#settle(now);
    return { visible: this.#visible, inFlight: this.#inFlight, delayed: this.#delayed };
  }

  /** All messages, the first sent first: to look at, not to change. */
  messages(now: number): Iterable<Readonly<Message>> {
    this.#settle(now);
    return this.#messages.values();
  }

  /** When time alone will change something next. */
  get nextChangeAt(): number {
    return this.#deadlines.first?.rank ?? Number.POSITIVE_INFINITY;
  }

  /** Does what has fallen due: delays and timeouts end, old messages go. */
  #settle(now: number): void {
    for (;;) {
      const message = this.#deadlines.first;
      if (message === undefined || message.rank > now) return;
      if (this.#expiresAt(message) <= now) this.#remove(message);
      else {
        this.#leaveState(message);
        this.#enterState(message, 'visible', 0);
        this.#setDeadline(message);
        this.#surroundings.onChange(this);
      }
    }
  }

  /** Moves a message on that was received too often; false when it stays, to be received. */
  #redrive(message: Message, now: number): boolean {
    const policy = this.settings.redrivePolicy;
    if (policy === undefined || message.receivedHere < policy.maxReceiveCount) return false;
    const target = this.#surroundings.deadLetterQueue(policy.deadLetterTargetArn, this.arn);
    if (target === undefined || target === this) return false;
    this.#remove(message);
    target.#accept(message, this.arn, now);
    return true;
  }

  #insert(message: Message, state: 'visible' | 'delayed', stateEndsAt: number): void {
    message.number = ++this.#lastNumber;
    this.#messages.set(message.number, message);
    this.#enterState(message, state, stateEndsAt);
    message.rank = this.#deadlineOf(message);
    this.#deadlines.add(message);
    this.#surroundings.onChange(this);
  }

  #remove(message: Message): void {
    // A receive may be waiting for its group, or for a place among the messages in flight.
    if (this.isFifo || this.isFull) this.#surroundings.onChange(this);
    this.#leaveState(message);
    this.#messages.delete(message.number);
    this.#deadlines.remove(message);
  }

  #enterState(message: Message, state: Message['state'], stateEndsAt: number): void {
    message.state = state;
    message.stateEndsAt = stateEndsAt;
    if (state === 'visible') {
      this.#visible++;
      this.#order.add(message);
    } else if (state === 'inFlight') {
      this.#inFlight++;
      this.#order.taken(message);
    } else {
      this.#delayed++;
    }
  }

  #leaveState(message: Message): void {
    if (message.state === 'visible') {
      this.#visible--;
      this.#order.remove(message);
    } else if (message.state === 'inFlight') {
      this.#inFlight--;
      this.#order.released(message);
    } else {
      this.#delayed--;
    }
  }

  #setDeadline(message: Message): void {
    this.#deadlines.move(message, this.#deadlineOf(message));
  }

  #deadlineOf(message: Message): number {
    const expiresAt = this.#expiresAt(message);
    return message.state === 'visible' ? expiresAt : Math.min(message.stateEndsAt, expiresAt);
  }

  #expiresAt(message: Message): number {
    return message.keptSince + this.settings.retentionSeconds * 1000;
  }

  /** The message whose latest receive gave out the handle; undefined when there is none now. */
  #find(handle: string): Message | undefined {
    const { number, receive } = readHandle(this.#uid, handle);
    const message = this.#messages.get(number);
    return message?.receipt === receive ? message : undefined;
  }

  #snapshot(message: Message): Received {
    return {
      draft: message.draft,
      handle: writeHandle(this.#uid, message.number, message.receipt),
      sentAt: message.sentAt,
      receiveCount: message.receiveCount,
      firstReceivedAt: message.firstReceivedAt,
      deadLetterSourceArn: message.deadLetterSourceArn,
      sequenceNumber: this.#sequenceNumber(message),
    };
  }

  #sequenceNumber({ number }: Message): string | undefined {
    return this.isFifo ? String(FIRST_SEQUENCE_NUMBER + BigInt(number) * SEQUENCE_STEP) : undefined;
  }
}

/** As AWS's look: 20 digits, and growing by multiples of 256. */
const FIRST_SEQUENCE_NUMBER = 18_849_496_460_467_696_128n;
const SEQUENCE_STEP = 256n;
