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
  /** Its turn among the groups, and its first message's number. */
  rank = 0;
  number = 0;
  place = -1;

  constructor(id: string | undefined) {
    this.id = id;
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
 * visible again, are received. A group whose first message came back comes after the groups that
 * wait by then. Both are recorded from AWS.
 */
export class FifoOrder implements Order {
  readonly #groups = new Map<string | undefined, FifoGroup>();
  /** The groups that have a message to be received. */
  readonly #open = new Heap<FifoGroup>();

  add(message: Message): void {
    const group = this.#groupOf(message);
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
    const group = new FifoGroup(draft.groupId);
    this.#groups.set(draft.groupId, group);
    return group;
  }

  /** Opens or closes the group, at its turn; forgets it with its last message. */
  #update(group: FifoGroup): void {
    const { next } = group;
    const isOpen = group.place >= 0;
    if (isOpen && next?.number === group.number) return;
    // Its turn is another now, which the heap must not see before it is out of it.
    if (isOpen) this.#open.remove(group);
    if (next) {
      group.rank = turnOf(next);
      group.number = next.number;
      this.#open.add(group);
    } else if (group.visible.length === 0 && group.inFlight.length === 0) {
      this.#groups.delete(group.id);
    }
  }
}

/**
 * By when a message began to wait: when it was sent or, if it was received, when it came back, and
 * of one moment those come first that were never received. All of that is kept, so that a restart
 * changes nothing. A receive that was undone is as if it had not been.
 */
function turnOf({ receipt, stateEndsAt, sentAt }: Message): number {
  return receipt > 0 && stateEndsAt > 0 ? 2 * stateEndsAt + 1 : 2 * sentAt;
}
