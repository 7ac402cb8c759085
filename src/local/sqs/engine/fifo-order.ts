import { Heap, type Ranked } from './heap.ts';
import { LinkedList } from './linked-list.ts';
import type { Message } from './message.ts';
import type { Order } from './order.ts';

/** The messages of one MessageGroupId, each kind in the order in which they were sent. */
class FifoGroup implements Ranked {
  readonly id: string | undefined;
  readonly visible = new LinkedList<Message>();
  /** Few: one receive takes ten at most, and no other receive takes any behind them. */
  readonly inFlight: Message[] = [];
  /** Its turn among the groups. */
  rank = 0;
  readonly number: number;
  place = -1;
  /** A receive was undone: the group keeps its turn. */
  comesFirst = false;

  constructor(id: string | undefined, number: number) {
    this.id = id;
    this.number = number;
  }

  /** The first message, unless one that was sent before it is in flight. */
  get next(): Message | undefined {
    const first = this.visible.first;
    const [blocking] = this.inFlight;
    return first && blocking && blocking.number < first.number ? undefined : first;
  }
}

/**
 * A FIFO queue's order: each group's messages as they were sent. A message in flight blocks those
 * of its group that were sent after it, for all receives but the one that took it; those before it,
 * visible again, are received. A group that was received from, and is open again, comes after the
 * groups that wait. Both are recorded from AWS.
 */
export class FifoOrder implements Order {
  readonly #groups = new Map<string | undefined, FifoGroup>();
  /** The groups that have a message to be received. */
  readonly #open = new Heap<FifoGroup>();
  #count = 0;
  #firstRank = 0;
  #lastRank = 0;

  add(message: Message, first = false): void {
    const group = this.#groupOf(message);
    group.comesFirst = first;
    // What was in flight comes back to where it was: close to the front.
    let before = group.visible.last;
    if (before && before.number > message.number) {
      before = undefined;
      let after = group.visible.first;
      while (after && after.number < message.number) {
        before = after;
        after = after.next;
      }
    }
    group.visible.insertAfter(message, before);
    this.#update(group);
  }

  remove(message: Message): void {
    const group = this.#groupOf(message);
    group.visible.remove(message);
    this.#update(group);
  }

  taken(message: Message): void {
    const group = this.#groupOf(message);
    const after = group.inFlight.findIndex(({ number }) => number > message.number);
    group.inFlight.splice(after < 0 ? group.inFlight.length : after, 0, message);
    this.#update(group);
  }

  released(message: Message): void {
    const group = this.#groupOf(message);
    group.inFlight.splice(group.inFlight.indexOf(message), 1);
    this.#update(group);
  }

  next(previous: Message | undefined): Message | undefined {
    const same = previous?.state === 'inFlight' ? this.#following(previous) : undefined;
    return same ?? this.#open.first?.next;
  }

  clear(): void {
    this.#groups.clear();
    this.#open.clear();
  }

  /** The next of the same group for the receive that took `previous`, and all in flight before it. */
  #following(previous: Message): Message | undefined {
    const { visible, inFlight } = this.#groupOf(previous);
    const blocking = inFlight[inFlight.indexOf(previous) + 1];
    const first = visible.first;
    return first && blocking && blocking.number < first.number ? undefined : first;
  }

  #groupOf({ draft }: Message): FifoGroup {
    const known = this.#groups.get(draft.groupId);
    if (known) return known;
    const group = new FifoGroup(draft.groupId, ++this.#count);
    this.#groups.set(draft.groupId, group);
    return group;
  }

  /** Opens or closes the group; forgets it with its last message. */
  #update(group: FifoGroup): void {
    const isOpen = group.place >= 0;
    if (group.next === undefined) {
      if (isOpen) this.#open.remove(group);
      const isEmpty = group.visible.length === 0 && group.inFlight.length === 0;
      if (isEmpty) this.#groups.delete(group.id);
    } else if (!isOpen) {
      group.rank = group.comesFirst ? --this.#firstRank : ++this.#lastRank;
      group.comesFirst = false;
      this.#open.add(group);
    }
  }
}
