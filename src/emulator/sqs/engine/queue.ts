import { randomUUID } from 'node:crypto';
import { invalidValue } from '../errors.ts';
import { MAX_IN_FLIGHT, VISIBILITY_SECONDS } from '../limits.ts';
import { DedupWindow } from './dedup-window.ts';
import type { DirtySet } from './dirty-set.ts';
import { FifoOrder } from './fifo-order.ts';
import { type Draft, Message, type Received, type ReceiveRequest, received } from './message.ts';
import { Messages } from './messages.ts';
import { FairOrder } from './order.ts';
import type { KeptQueue, MoveTask, Owner, Sent, Taken } from './queue-state.ts';
import { Receipts, sequenceNumberOf } from './receipts.ts';
import {
  type Attributes,
  changed,
  initialAttributes,
  type Settings,
  settingsOf,
} from './settings.ts';
import type { QueueIdentity, Surroundings } from './surroundings.ts';

/**
 * A queue, standard or FIFO. A message is
 *
 *   delayed  -> visible             when its delay ends
 *   visible  -> inFlight            when it is received
 *   inFlight -> visible             when its visibility timeout ends, or is set to 0
 *   visible  -> (another queue)     when one more receive would exceed its RedrivePolicy
 *   any      -> (gone)              when it is deleted or purged, or its retention ends
 *
 * Its `Order` decides which visible message is received next. Nothing here waits: each call takes
 * the current time, and first settles what time has changed. The cost of a call therefore grows
 * with the queue's depth only by its logarithm.
 */
export class Queue {
  readonly name: string;
  readonly owner: Owner;
  readonly arn: string;
  readonly isFifo: boolean;
  tags: ReadonlyMap<string, string> = new Map();
  /** Its move tasks, the latest first. */
  moveTasks: readonly MoveTask[] = [];
  readonly createdAt: number;
  modifiedAt: number;
  attributes: Attributes;
  settings: Settings;
  purgedAt = Number.NEGATIVE_INFINITY;
  readonly uid: string;
  readonly changes: DirtySet | undefined;
  readonly recent: DedupWindow;
  readonly #surroundings: Surroundings<Queue>;
  readonly #messages: Messages;
  readonly #receipts: Receipts;

  constructor(
    { name, owner, arn, uid, isFifo, memorySeconds, changes }: QueueIdentity,
    surroundings: Surroundings<Queue>,
    now: number,
  ) {
    this.name = name;
    this.owner = owner;
    this.arn = arn;
    this.isFifo = isFifo;
    this.attributes = initialAttributes(isFifo);
    this.settings = settingsOf(this.attributes);
    this.uid = uid;
    this.changes = changes;
    const order = isFifo ? new FifoOrder() : new FairOrder();
    this.#messages = new Messages(order, this.settings.retentionSeconds * 1000, changes);
    this.#receipts = new Receipts(uid, isFifo, this.#messages);
    this.recent = new DedupWindow(memorySeconds, changes);
    this.#surroundings = surroundings;
    this.createdAt = now;
    this.modifiedAt = now;
  }

  setAttributes(change: Attributes, now: number): void {
    this.#settle(now);
    const before = this.settings;
    this.attributes = changed(this.attributes, change);
    this.settings = settingsOf(this.attributes);
    const { retentionSeconds, delaySeconds } = this.settings;
    this.modifiedAt = now;
    this.changes?.mark();
    // A new delay applies to existing messages on a FIFO queue, a new retention on both types.
    const delayMoved = this.isFifo && delaySeconds !== before.delaySeconds;
    if (retentionSeconds === before.retentionSeconds && !delayMoved) return;
    this.#messages.setTimes(retentionSeconds * 1000, delayMoved ? delaySeconds * 1000 : undefined);
    this.#surroundings.onChange(this);
  }

  set(change: Partial<Pick<Queue, 'tags' | 'moveTasks'>>): void {
    Object.assign(this, change);
    this.changes?.mark();
  }

  send(draft: Draft, now: number): Sent {
    const { deduplicatesByGroup } = this.settings;
    const before = this.isFifo && this.recent.sentBefore(draft, deduplicatesByGroup, now);
    if (before) return before;
    const message = new Message(draft, now);
    const delaySeconds = draft.delaySeconds ?? this.settings.delaySeconds;
    this.#insert(message, delaySeconds > 0 ? 'delayed' : 'visible', now + delaySeconds * 1000);
    const sent = { id: draft.id, sequenceNumber: this.#sequenceNumber(message) };
    if (this.isFifo) this.recent.noteSent(draft, deduplicatesByGroup, sent, now);
    return sent;
  }

  /** Accepts a message that was received too often on another queue. */
  #accept(message: Message, sourceArn: string, now: number): void {
    message.deadLetterSourceArn = sourceArn;
    if (this.isFifo) message.keptSince = now;
    message.receivedHere = 0;
    this.#insert(message, 'visible', now);
  }

  receive(request: ReceiveRequest, now: number): Received[] {
    const { maxMessages, visibilitySeconds, attemptId } = request;
    this.#settle(now);
    const hiddenMs = (visibilitySeconds ?? this.settings.visibilitySeconds) * 1000;
    const again = attemptId === undefined ? undefined : this.#receivedAs(attemptId, hiddenMs, now);
    if (again) return again;
    const taken: Message[] = [];
    while (taken.length < maxMessages && !this.isFull) {
      const message = this.#messages.next(taken.at(-1), now);
      if (message === undefined) break;
      if (this.#redrive(message, now)) continue;
      message.noteReceive(now, attemptId);
      this.#messages.move(message, 'inFlight', now + hiddenMs, now);
      taken.push(message);
    }
    if (attemptId && taken.length > 0) this.recent.noteTaken(attemptId, taken, now);
    return taken.map((message) => this.#snapshot(message));
  }

  /**
   * The messages of an earlier receive with that id, hidden anew; undefined if there was none, or
   * if one of its messages has changed since.
   */
  #receivedAs(attemptId: string, hiddenMs: number, now: number): Received[] | undefined {
    const taken = this.recent.taken(attemptId, now);
    const held = taken?.flatMap((one) => this.#held(one) ?? []);
    if (held?.length !== taken?.length) return undefined;
    return held?.map((message) => {
      message.stateEndsAt = now + hiddenMs;
      this.#messages.reschedule(message);
      return this.#snapshot(message);
    });
  }

  #held({ number, receipt }: Taken): Message | undefined {
    const message = this.#messages.get(number);
    return message?.state === 'inFlight' && message.receipt === receipt ? message : undefined;
  }

  /** Whether the number of messages in flight is at its limit. */
  get isFull(): boolean {
    return this.#messages.inFlight >= MAX_IN_FLIGHT;
  }

  /**
   * Takes back a received message that did not reach its caller, as if it had not been received. A
   * message that has changed since stays as it is.
   */
  takeBack(handle: string, now: number): void {
    const message = this.#receipts.find(handle);
    if (message?.state !== 'inFlight') return;
    message.forgetReceive();
    this.#messages.move(message, 'visible', 0, now, true);
    this.#surroundings.onChange(this);
  }

  /**
   * Deletes a message by the handle of its latest receive. On a standard queue, the handle works
   * after its timeout, too. An older handle, or one of a message that is gone, succeeds but deletes
   * nothing, as AWS allows itself.
   */
  delete(handle: string, now: number): void {
    this.#settle(now);
    const message = this.#receipts.findUsable(handle);
    if (message !== undefined) this.#remove(message, now);
  }

  /**
   * Moves the next visible message to another queue, as a new message. Returns false if there is
   * none, or none that can be moved.
   */
  moveNext(target: (message: Readonly<Message>) => Queue | undefined, now: number): boolean {
    this.#settle(now);
    const message = this.#messages.next(undefined, now);
    const queue = message && target(message);
    if (message === undefined || queue === undefined || queue === this) return false;
    this.#remove(message, now);
    queue.#insert(new Message({ ...message.draft, id: randomUUID() }, now), 'visible', 0);
    return true;
  }

  changeVisibility(handle: string, seconds: number, now: number): void {
    this.#settle(now);
    const message = this.#receipts.findToHide(handle);
    if (message === undefined) {
      const reason = 'Message does not exist or is not available for visibility timeout change.';
      throw invalidValue('ReceiptHandle', handle, reason);
    }
    const { max } = VISIBILITY_SECONDS;
    if (now + seconds * 1000 > message.receivedAt + max * 1000) {
      const reason = `Total VisibilityTimeout for the message is beyond the limit [${max} seconds]`;
      throw invalidValue('VisibilityTimeout', seconds, reason);
    }
    // This also hides a message whose timeout has passed and that was not received again.
    const state = seconds > 0 ? 'inFlight' : 'visible';
    this.#messages.move(message, state, now + seconds * 1000, now);
    this.#surroundings.onChange(this);
  }

  /** The handle of a message's latest receive. */
  handleOf(message: Readonly<Message>): string {
    return this.#receipts.handleOf(message);
  }

  purge(now: number): void {
    this.purgedAt = now;
    this.#messages.clear();
    this.recent.clear();
  }

  counts(now: number): { visible: number; inFlight: number; delayed: number } {
    this.#settle(now);
    const { visible, inFlight, delayed } = this.#messages;
    return { visible, inFlight, delayed };
  }

  /** All messages by ascending number, for reading only. */
  messages(now: number): Iterable<Readonly<Message>> {
    this.#settle(now);
    return this.#messages.all();
  }

  get lastNumber(): number {
    return this.#messages.lastNumber;
  }

  get messageCount(): number {
    return this.#messages.count;
  }

  /** Restores its stored state, except for messages and memories. */
  restore(kept: KeptQueue): void {
    const { retentionSeconds } = this.settings;
    this.attributes = kept.attributes;
    this.settings = settingsOf(this.attributes);
    this.tags = kept.tags;
    this.moveTasks = kept.moveTasks;
    this.modifiedAt = kept.modifiedAt;
    this.purgedAt = kept.purgedAt;
    this.#messages.lastNumber = kept.lastNumber;
    if (this.settings.retentionSeconds === retentionSeconds) return;
    this.#messages.setTimes(this.settings.retentionSeconds * 1000, undefined);
  }

  /** @param first whether a visible message comes before all others of a standard queue */
  restoreMessage(message: Message, first: boolean, now: number): void {
    this.#messages.restore(message, first, now);
  }

  /** Removes a message as if it had never been there; without a number, all of them. */
  forget(number: number | undefined, now: number): void {
    const message = number === undefined ? undefined : this.#messages.get(number);
    if (message) this.#messages.forget(message, now);
    if (number === undefined) this.#messages.forgetAll();
  }

  /** When time alone will change a message next. */
  get nextChangeAt(): number {
    return this.#messages.nextChangeAt;
  }

  /** Applies what is due: delays and timeouts end, old messages are removed. */
  #settle(now: number): void {
    for (let message = this.#messages.due(now); message; message = this.#messages.due(now)) {
      const dueAt = message.rank;
      if (this.#messages.isExpired(message, now)) this.#remove(message, dueAt);
      else {
        this.#messages.surface(message, dueAt);
        this.#surroundings.onChange(this);
      }
    }
  }

  /** Moves a message to the dead-letter queue if it was received too often; false if it stays. */
  #redrive(message: Message, now: number): boolean {
    const policy = this.settings.redrivePolicy;
    if (policy === undefined || message.receivedHere < policy.maxReceiveCount) return false;
    const target = this.#surroundings.deadLetterQueue(policy.deadLetterTargetArn, this.arn);
    if (target === undefined || target === this) return false;
    this.#remove(message, now);
    target.#accept(message, this.arn, now);
    return true;
  }

  #insert(message: Message, state: 'visible' | 'delayed', stateEndsAt: number): void {
    this.#messages.insert(message, state, stateEndsAt);
    this.#surroundings.onChange(this);
  }

  #remove(message: Message, now: number): void {
    // A receive may be waiting for its group, or for room among the messages in flight.
    if (this.isFifo || this.isFull) this.#surroundings.onChange(this);
    this.#messages.remove(message, now);
  }

  #snapshot(message: Message): Received {
    return received(message, this.#receipts.handleOf(message), this.#sequenceNumber(message));
  }

  #sequenceNumber({ number }: Message): string | undefined {
    return this.isFifo ? sequenceNumberOf(number) : undefined;
  }
}
