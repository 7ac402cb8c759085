import type { DirtySet } from './dirty-set.ts';
import { Heap } from './heap.ts';
import type { Message, MessageState } from './message.ts';
import { Numbered } from './numbered.ts';
import type { Order } from './order.ts';

/** The content of a receipt handle: the number of a message, and the number of its receive. */
export interface Receipt {
  readonly number: number;
  readonly receive: number;
}

/**
 * A queue's messages: by number, by state, in the order in which visible ones are received, and by
 * when time alone will change them. The queue decides what a change means.
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

  /** @param retentionMs how long a message is kept, in milliseconds */
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

  /** The message whose latest receipt this is. */
  ofReceipt({ number, receive }: Receipt): Message | undefined {
    const message = this.#byNumber.get(number);
    return message?.receipt === receive ? message : undefined;
  }

  /** Whether a receive may have returned the receipt; unknown for a message that is gone. */
  mayHaveIssued({ number, receive }: Receipt): boolean {
    const message = this.#byNumber.get(number);
    return message ? receive <= message.receipt : number <= this.lastNumber;
  }

  /** All messages by ascending number. */
  all(): Iterable<Message> {
    // They are mostly in that order already, except for those that were put back.
    return [...this.#byNumber.values()].sort((one, other) => one.number - other.number);
  }

  /** The next message to receive. @param previous what the same receive took before */
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
   * Puts a message back, with its own number and state.
   *
   * @param first whether a visible message comes before all others
   */
  restore(message: Message, first: boolean, now: number): void {
    this.#byNumber.set(message.number, message);
    this.#enter(message, message.state, first);
    if (message.state === 'inFlight') this.#order.taken(message, now);
    message.rank = this.#deadlineOf(message);
    this.#deadlines.add(message);
  }

  /** @param first whether a visible message comes before all others */
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

  /** Makes a message visible whose delay or timeout has ended. Its end is stored already. */
  surface(message: Message, dueAt: number): void {
    this.#transfer(message, 'visible', false, dueAt);
    this.#deadlines.move(message, this.#deadlineOf(message));
  }

  remove(message: Message, now: number): void {
    this.forget(message, now);
    this.#changes?.gone(message);
  }

  /** Removes a message as if it had never been there. */
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

  /** @param delayMs new delay of the delayed messages; undefined leaves their delays as they are */
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

  /** Must be called when the end of a message's state has changed. */
  reschedule(message: Message): void {
    this.#deadlines.move(message, this.#deadlineOf(message));
    this.#changes?.put(message);
  }

  /** When time alone will change a message next. */
  get nextChangeAt(): number {
    return this.#deadlines.first?.rank ?? Number.POSITIVE_INFINITY;
  }

  /** A message whose state or retention has ended. */
  due(now: number): Message | undefined {
    const first = this.#deadlines.first;
    return first !== undefined && first.rank <= now ? first : undefined;
  }

  /** Whether a message's retention has ended. */
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
