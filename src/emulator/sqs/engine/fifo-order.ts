import { Heap, type Ranked } from './heap.ts';
import { LinkedList } from './linked-list.ts';
import type { Message } from './message.ts';
import type { Order } from './order.ts';

/** The messages of one MessageGroupId, each kind in the order in which they were sent. */
class FifoGroup implements Ranked {
  readonly id: string | undefined;
  readonly visible = new LinkedList<Message>();
  /** Few: one receive takes at most ten, and no other receive takes any behind them. */
  readonly inFlight: Message[] = [];
  /** Its turn among the groups, and the number of its first message. */
  rank = 0;
  number = 0;
  place = -1;

  constructor(id: string | undefined) {
    this.id = id;
  }

  /** The first visible message, unless an earlier one is in flight. */
  get next(): Message | undefined {
    const first = this.visible.first;
    const [blocking] = this.inFlight;
    return first && blocking && blocking.number < first.number ? undefined : first;
  }
}

/**
 * A FIFO queue's order: the messages of each group as they were sent. A message in flight blocks
 * the later messages of its group for all receives except the one that took it. Earlier messages
 * that are visible again can be received. A group whose first message became visible again comes
 * after the groups that are waiting by then. Both are recorded from AWS.
 */
export class FifoOrder implements Order {
  readonly #groups = new Map<string | undefined, FifoGroup>();
  /** The groups that have a message to receive. */
  readonly #open = new Heap<FifoGroup>();

  add(message: Message): void {
    const group = this.#groupOf(message);
    // A message that was in flight returns to its old place, close to the front.
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

  /** The group's next message for the receive that took `previous`, and all in flight before it. */
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

  /** Opens or closes the group, at its turn; forgets a group without messages. */
  #update(group: FifoGroup): void {
    const { next } = group;
    const isOpen = group.place >= 0;
    if (isOpen && next?.number === group.number) return;
    // The heap must not see the new turn while the group is still in it.
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
 * A message's turn: when it was sent or, if it was received, when it became visible again. On a
 * tie, messages that were never received come first. All of this is stored, so a restart changes
 * nothing. A receive that was undone does not count.
 */
function turnOf({ receipt, stateEndsAt, sentAt }: Message): number {
  return receipt > 0 && stateEndsAt > 0 ? 2 * stateEndsAt + 1 : 2 * sentAt;
}
