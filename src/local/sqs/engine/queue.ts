import { invalidValue } from '../errors.ts';
import { MAX_IN_FLIGHT, VISIBILITY_SECONDS } from '../limits.ts';
import { Deadlines } from './deadlines.ts';
import { LinkedList } from './linked-list.ts';
import { type Draft, Message, type Received } from './message.ts';
import { readHandle, writeHandle } from './receipt.ts';
import { type Attributes, changed, INITIAL_ATTRIBUTES, settingsOf } from './settings.ts';

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
}

/**
 * A standard queue. A message is
 *
 *   delayed  -> visible             when its delay ends
 *   visible  -> inFlight            when it is received
 *   inFlight -> visible             when its visibility timeout ends, or is set to 0
 *   visible  -> (another queue)     when it is to be received once more than RedrivePolicy allows
 *   any      -> (gone)              when it is deleted or purged, or its retention ends
 *
 * Visible messages are received in the order in which they became visible, whatever their groups:
 * one of the orders that a standard queue may have. Nothing here waits: what time has changed is
 * settled at the next call, each of which takes the present moment. So the cost of a call does not
 * depend on the queue's depth beyond its logarithm.
 */
export class Queue {
  readonly name: string;
  readonly arn: string;
  /** Tells this queue's receipt handles from those of an earlier queue of its name. */
  readonly uid: string;
  readonly tags = new Map<string, string>();
  readonly createdAt: number;
  modifiedAt: number;
  attributes: Attributes = INITIAL_ATTRIBUTES;
  settings = settingsOf(INITIAL_ATTRIBUTES);
  purgedAt = Number.NEGATIVE_INFINITY;

  readonly #surroundings: Surroundings;
  readonly #messages = new Map<number, Message>();
  readonly #visible = new LinkedList<Message>();
  readonly #deadlines = new Deadlines<Message>();
  #inFlight = 0;
  #delayed = 0;
  #lastNumber = 0;

  constructor(name: string, arn: string, uid: string, surroundings: Surroundings, now: number) {
    this.name = name;
    this.arn = arn;
    this.uid = uid;
    this.#surroundings = surroundings;
    this.createdAt = now;
    this.modifiedAt = now;
  }

  setAttributes(change: Attributes, now: number): void {
    this.#settle(now);
    const { retentionSeconds } = this.settings;
    this.attributes = changed(this.attributes, change);
    this.settings = settingsOf(this.attributes);
    this.modifiedAt = now;
    // A new retention holds for the messages that are there as well.
    if (this.settings.retentionSeconds === retentionSeconds) return;
    for (const message of this.#messages.values()) this.#setDeadline(message);
  }

  send(draft: Draft, now: number): void {
    const message = new Message(draft, now);
    const delaySeconds = draft.delaySeconds ?? this.settings.delaySeconds;
    if (delaySeconds > 0) this.#insert(message, 'delayed', now + delaySeconds * 1000);
    else this.#insert(message, 'visible', 0);
  }

  /** Takes a message that another queue gives up on. */
  #accept(message: Message, sourceArn: string): void {
    message.deadLetterSourceArn = sourceArn;
    message.receivedHere = 0;
    this.#insert(message, 'visible', 0);
  }

  receive({ maxMessages, visibilitySeconds }: ReceiveRequest, now: number): Received[] {
    this.#settle(now);
    const hiddenMs = (visibilitySeconds ?? this.settings.visibilitySeconds) * 1000;
    const received: Received[] = [];
    while (received.length < maxMessages && !this.isFull) {
      const message = this.#visible.first;
      if (message === undefined) break;
      if (this.#redrive(message)) continue;
      this.#leaveState(message);
      message.receiveCount++;
      message.receivedHere++;
      message.receipt++;
      message.receivedAt = now;
      if (message.receiveCount === 1) message.firstReceivedAt = now;
      this.#enterState(message, 'inFlight', now + hiddenMs);
      this.#setDeadline(message);
      received.push(snapshot(message, this.uid));
    }
    return received;
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
    this.#visible.prepend(message);
    this.#setDeadline(message);
    this.#surroundings.onChange(this);
  }

  /**
   * Deletes a message by the handle of its latest receive, timed out or not. Deleting what is gone
   * succeeds, and so does an older handle, but it deletes nothing: that much AWS allows itself.
   */
  delete(handle: string, now: number): void {
    this.#settle(now);
    const message = this.#find(handle);
    if (message) this.#remove(message);
  }

  changeVisibility(handle: string, seconds: number, now: number): void {
    this.#settle(now);
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
    this.#visible.clear();
    this.#deadlines.clear();
    this.#inFlight = 0;
    this.#delayed = 0;
  }

  counts(now: number): { visible: number; inFlight: number; delayed: number } {
    this.#settle(now);
    return { visible: this.#visible.length, inFlight: this.#inFlight, delayed: this.#delayed };
  }

  /** All messages, the first sent first: to look at, not to change. */
  messages(now: number): Iterable<Readonly<Message>> {
    this.#settle(now);
    return this.#messages.values();
  }

  /** When time alone will change something next. */
  get nextChangeAt(): number {
    return this.#deadlines.first?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Does what has fallen due: delays and timeouts end, old messages go. */
  #settle(now: number): void {
    for (;;) {
      const message = this.#deadlines.first;
      if (message === undefined || message.deadline > now) return;
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
  #redrive(message: Message): boolean {
    const policy = this.settings.redrivePolicy;
    if (policy === undefined || message.receivedHere < policy.maxReceiveCount) return false;
    const target = this.#surroundings.deadLetterQueue(policy.deadLetterTargetArn, this.arn);
    if (target === undefined || target === this) return false;
    this.#remove(message);
    target.#accept(message, this.arn);
    return true;
  }

  #insert(message: Message, state: 'visible' | 'delayed', stateEndsAt: number): void {
    message.number = ++this.#lastNumber;
    this.#messages.set(message.number, message);
    this.#enterState(message, state, stateEndsAt);
    message.deadline = this.#deadlineOf(message);
    this.#deadlines.add(message);
    this.#surroundings.onChange(this);
  }

  #remove(message: Message): void {
    // A receive may be waiting for a place among the messages in flight.
    if (this.isFull) this.#surroundings.onChange(this);
    this.#leaveState(message);
    this.#messages.delete(message.number);
    this.#deadlines.remove(message);
  }

  #enterState(message: Message, state: Message['state'], stateEndsAt: number): void {
    message.state = state;
    message.stateEndsAt = stateEndsAt;
    if (state === 'visible') this.#visible.append(message);
    else if (state === 'inFlight') this.#inFlight++;
    else this.#delayed++;
  }

  #leaveState(message: Message): void {
    if (message.state === 'visible') this.#visible.remove(message);
    else if (message.state === 'inFlight') this.#inFlight--;
    else this.#delayed--;
  }

  #setDeadline(message: Message): void {
    this.#deadlines.move(message, this.#deadlineOf(message));
  }

  #deadlineOf(message: Message): number {
    const expiresAt = this.#expiresAt(message);
    return message.state === 'visible' ? expiresAt : Math.min(message.stateEndsAt, expiresAt);
  }

  #expiresAt(message: Message): number {
    return message.sentAt + this.settings.retentionSeconds * 1000;
  }

  /** The message whose latest receive gave out the handle; undefined when there is none now. */
  #find(handle: string): Message | undefined {
    const { number, receive } = readHandle(this.uid, handle);
    const message = this.#messages.get(number);
    return message?.receipt === receive ? message : undefined;
  }
}

function snapshot(message: Message, queueUid: string): Received {
  return {
    draft: message.draft,
    handle: writeHandle(queueUid, message.number, message.receipt),
    sentAt: message.sentAt,
    receiveCount: message.receiveCount,
    firstReceivedAt: message.firstReceivedAt,
    deadLetterSourceArn: message.deadLetterSourceArn,
  };
}
