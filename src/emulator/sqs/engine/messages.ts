import type { DirtySet } from './dirty-set.ts';
import { Heap } from './heap.ts';
import type { Message, MessageState } from './message.ts';
import { Numbered } from './numbered.ts';
import type { Order } from './order.ts';
import type { Receipt } from './receipt.ts';

/**
 * A queue's messages: each in its state, by number, in the order in which the visible ones are
 * received, and by when time alone will change it. What a change means is the queue's to say.
 */
export class Messages {
  visible = 0;
  inFlight = 0;
  delayed = 0;
  readonly #order: Order;
  #retentionMs: number;
  readonly #byNumber = new Numbered<Message>();
  readonly #deadlines = new Heap<Message>();
  readonly #changes: DirtySet | undefined;
  lastNumber = 0;

  /** @param retentionMs how long a message stays, in milliseconds */
  constructor(order: Order, retentionMs: number, changes: DirtySet | undefined) {
    this.#order = order;
    this.#retentionMs = retentionMs;
    this.#changes = changes;
  }

  get(number: number): Message | undefined {
    return this.#byNumber.get(number);
  }

  get count(): number {
    return this.#byNumber.size;
  }

  /** The message whose latest receipt it is. */
  ofReceipt({ number, receive }: Receipt): Message | undefined {
    const message = this.#byNumber.get(number);
    return message?.receipt === receive ? message : undefined;
  }

  /** Whether a receive may have given the receipt out: of a message that is gone it is not known. */
  mayHaveGiven({ number, receive }: Receipt): boolean {
    const message = this.#byNumber.get(number);
    return message ? receive <= message.receipt : number <= this.lastNumber;
  }

  /** The first sent first. */
  all(): Iterable<Message> {
    // They mostly are in that order, but for those that were put back.
    return [...this.#byNumber.values()].sort((one, other) => one.number - other.number);
  }

  /** The next to be received. @param previous what the same receive took before */
  next(previous: Message | undefined, now: number): Message | undefined {
    return this.#order.next(previous, now);
  }

  insert(message: Message, state: 'visible' | 'delayed', stateEndsAt: number): void {
    message.number = ++this.lastNumber;
    this.#byNumber.set(message.number, message);
    message.stateEndsAt = stateEndsAt;
    this.#enter(message, state, false);
    message.rank = this.#deadlineOf(message);
    this.#deadlines.add(message);
    this.#changes?.put(message);
  }

  /**
   * Puts a message where it was, by its own number and state.
   *
   * @param first a visible one comes before all others
   */
  restore(message: Message, first: boolean, now: number): void {
    this.#byNumber.set(message.number, message);
    this.#enter(message, message.state, first);
    if (message.state === 'inFlight') this.#order.taken(message, now);
    message.rank = this.#deadlineOf(message);
    this.#deadlines.add(message);
  }

  /** @param first a visible one comes before all others */
  move(
    message: Message,
    state: MessageState,
    stateEndsAt: number,
    now: number,
    first = false,
  ): void {
    if (state === 'visible' && message.state === 'visible') return;
    message.stateEndsAt = stateEndsAt;
    if (state !== message.state) this.#transfer(message, state, first, now);
    this.reschedule(message);
  }

  /** Its state has ended by itself. That needs no keeping: when it would was known before. */
  surface(message: Message, dueAt: number): void {
    this.#transfer(message, 'visible', false, dueAt);
    this.#deadlines.move(message, this.#deadlineOf(message));
  }

  remove(message: Message, now: number): void {
    this.forget(message, now);
    this.#changes?.gone(message);
  }

  /** As if it had never been there. */
  forget(message: Message, now: number): void {
    this.#leave(message, message.state, now);
    this.#byNumber.delete(message.number);
    this.#deadlines.remove(message);
  }

  clear(): void {
    this.forgetAll();
    this.#changes?.clear();
  }

  forgetAll(): void {
    this.#byNumber.clear();
    this.#order.clear();
    this.#deadlines.clear();
    this.visible = 0;
    this.inFlight = 0;
    this.delayed = 0;
  }

  /** @param delayMs undefined: those that are delayed stay so for as long as they would */
  setTimes(retentionMs: number, delayMs: number | undefined): void {
    this.#retentionMs = retentionMs;
    for (const message of this.#byNumber.values()) {
      if (delayMs !== undefined && message.state === 'delayed') {
        message.stateEndsAt = message.sentAt + delayMs;
        this.#changes?.put(message);
      }
      this.#deadlines.move(message, this.#deadlineOf(message));
    }
  }

  /** To be told when a message's state ends at another time than it did. */
  reschedule(message: Message): void {
    this.#deadlines.move(message, this.#deadlineOf(message));
    this.#changes?.put(message);
  }

  /** When time alone will change something next. */
  get nextChangeAt(): number {
    return this.#deadlines.first?.rank ?? Number.POSITIVE_INFINITY;
  }

  /** A message whose state, or whose time here, has ended. */
  due(now: number): Message | undefined {
    const first = this.#deadlines.first;
    return first !== undefined && first.rank <= now ? first : undefined;
  }

  /** Whether a message has been kept for as long as the queue keeps any. */
  isExpired(message: Message, now: number): boolean {
    return this.#expiresAt(message) <= now;
  }

  #transfer(message: Message, state: MessageState, first: boolean, now: number): void {
    const { state: before } = message;
    // In this order, since a group is forgotten as soon as it has no message.
    this.#enter(message, state, first);
    if (state === 'inFlight') this.#order.taken(message, now);
    this.#leave(message, before, now);
  }

  #enter(message: Message, state: MessageState, first: boolean): void {
    message.state = state;
    this[state]++;
    if (state === 'visible') this.#order.add(message, first);
  }

  #leave(message: Message, state: MessageState, now: number): void {
    this[state]--;
    if (state === 'visible') this.#order.remove(message);
    else if (state === 'inFlight') this.#order.released(message, now);
  }

  #deadlineOf(message: Message): number {
    const expiresAt = this.#expiresAt(message);
    return message.state === 'visible' ? expiresAt : Math.min(message.stateEndsAt, expiresAt);
  }

  #expiresAt(message: Message): number {
    return message.keptSince + this.#retentionMs;
  }
}
