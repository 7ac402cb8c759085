import { Heap } from './heap.ts';
import type { Message, MessageState } from './message.ts';
import type { Order } from './order.ts';

/**
 * A queue's messages: each in its state, by number, in the order in which the visible ones are
 * received, and by when time alone will change it. What a change means is the queue's to say.
 */
export class Messages {
  /** How long a message is kept, in milliseconds. After a change, `reschedule` each. */
  retentionMs = Number.POSITIVE_INFINITY;
  visible = 0;
  inFlight = 0;
  delayed = 0;
  readonly #order: Order;
  readonly #byNumber = new Map<number, Message>();
  readonly #deadlines = new Heap<Message>();
  #lastNumber = 0;

  constructor(order: Order) {
    this.#order = order;
  }

  get(number: number): Message | undefined {
    return this.#byNumber.get(number);
  }

  /** The first sent first. */
  all(): Iterable<Message> {
    return this.#byNumber.values();
  }

  /** The next to be received. @param previous what the same receive took before */
  next(previous: Message | undefined): Message | undefined {
    return this.#order.next(previous);
  }

  insert(message: Message, state: 'visible' | 'delayed', stateEndsAt: number): void {
    message.number = ++this.#lastNumber;
    this.#byNumber.set(message.number, message);
    this.#enter(message, state, stateEndsAt, false);
    message.rank = this.#deadlineOf(message);
    this.#deadlines.add(message);
  }

  /** @param first a visible one comes before all others */
  move(message: Message, state: MessageState, stateEndsAt: number, first = false): void {
    this.#leave(message);
    this.#enter(message, state, stateEndsAt, first);
    this.reschedule(message);
  }

  remove(message: Message): void {
    this.#leave(message);
    this.#byNumber.delete(message.number);
    this.#deadlines.remove(message);
  }

  clear(): void {
    this.#byNumber.clear();
    this.#order.clear();
    this.#deadlines.clear();
    this.visible = 0;
    this.inFlight = 0;
    this.delayed = 0;
  }

  /** To be told when a message's state ends at another time than it did. */
  reschedule(message: Message): void {
    this.#deadlines.move(message, this.#deadlineOf(message));
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

  #enter(message: Message, state: MessageState, stateEndsAt: number, first: boolean): void {
    message.state = state;
    message.stateEndsAt = stateEndsAt;
    this[state]++;
    if (state === 'visible') this.#order.add(message, first);
    else if (state === 'inFlight') this.#order.taken(message);
  }

  #leave(message: Message): void {
    this[message.state]--;
    if (message.state === 'visible') this.#order.remove(message);
    else if (message.state === 'inFlight') this.#order.released(message);
  }

  #deadlineOf(message: Message): number {
    const expiresAt = this.#expiresAt(message);
    return message.state === 'visible' ? expiresAt : Math.min(message.stateEndsAt, expiresAt);
  }

  #expiresAt(message: Message): number {
    return message.keptSince + this.retentionMs;
  }
}
