import { NOISY_IN_FLIGHT, NOISY_SHARE } from '../limits.ts';
import { Heap, type Ranked } from './heap.ts';
import { LinkedList } from './linked-list.ts';
import type { Message } from './message.ts';

/** Which of a queue's visible messages is received next. Its queue tells it of each change. */
export interface Order {
  /** A message became visible. @param first it was taken back: it comes before all others */
  add(message: Message, first?: boolean): void;
  /** A visible message is visible no more. */
  remove(message: Message): void;
  /** A message is in flight from now on. */
  taken(message: Message): void;
  /** A message is in flight no more. */
  released(message: Message): void;
  /** @param previous what the same receive took before */
  next(previous: Message | undefined): Message | undefined;
  clear(): void;
}

/** The messages of one MessageGroupId, or those of none. */
class Group implements Ranked {
  readonly id: string | undefined;
  readonly visible = new LinkedList<Message>();
  inFlight = 0;
  /** The turn of its first visible message. */
  rank = 0;
  readonly number: number;
  place = -1;

  constructor(id: string | undefined, number: number) {
    this.id = id;
    this.number = number;
  }
}

/** A queue's groups: those that have a message that is visible or in flight. */
class Groups {
  readonly #byId = new Map<string | undefined, Group>();
  #count = 0;

  of({ draft }: Message): Group {
    const known = this.#byId.get(draft.groupId);
    if (known) return known;
    const group = new Group(draft.groupId, ++this.#count);
    this.#byId.set(draft.groupId, group);
    return group;
  }

  forget(group: Group): void {
    if (group.visible.length === 0 && group.inFlight === 0) this.#byId.delete(group.id);
  }

  clear(): void {
    this.#byId.clear();
  }
}

/**
 * A standard queue's order: as messages became visible, but one group must not keep the others
 * waiting. A group that has many messages in flight, and a tenth of all, is noisy: its messages
 * are received when no other's wait. That is what AWS calls a fair queue.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export class FairOrder implements Order {
  readonly #groups = new Groups();
  /** The groups that have visible messages: those that were quiet when last looked at ... */
  readonly #quiet = new Heap<Group>();
  /** ... and those that were noisy: fewer than ten, and some that have just calmed down. */
  readonly #noisy = new Set<Group>();
  #inFlight = 0;
  #firstTurn = 0;
  #lastTurn = 0;

  add(message: Message, first = false): void {
    const group = this.#groups.of(message);
    message.turn = first ? --this.#firstTurn : ++this.#lastTurn;
    if (first) group.visible.prepend(message);
    else group.visible.append(message);
    this.#rank(group);
  }

  remove(message: Message): void {
    const group = this.#groups.of(message);
    group.visible.remove(message);
    this.#rank(group);
    this.#groups.forget(group);
  }

  taken(message: Message): void {
    this.#groups.of(message).inFlight++;
    this.#inFlight++;
  }

  released(message: Message): void {
    const group = this.#groups.of(message);
    group.inFlight--;
    this.#inFlight--;
    this.#groups.forget(group);
  }

  next(): Message | undefined {
    for (const group of this.#noisy) {
      if (this.#isNoisy(group)) continue;
      this.#noisy.delete(group);
      this.#quiet.add(group);
    }
    for (let group = this.#quiet.first; group; group = this.#quiet.first) {
      if (!this.#isNoisy(group)) return group.visible.first;
      this.#quiet.remove(group);
      this.#noisy.add(group);
    }
    let oldest: Group | undefined;
    for (const group of this.#noisy) if (!oldest || group.rank < oldest.rank) oldest = group;
    return oldest?.visible.first;
  }

  clear(): void {
    this.#groups.clear();
    this.#quiet.clear();
    this.#noisy.clear();
    this.#inFlight = 0;
  }

  #isNoisy({ id, inFlight }: Group): boolean {
    // Messages of no group are nobody's: each stands for itself.
    if (id === undefined || inFlight < NOISY_IN_FLIGHT) return false;
    return inFlight > this.#inFlight * NOISY_SHARE;
  }

  /** Puts the group where its first visible message belongs. */
  #rank(group: Group): void {
    const first = group.visible.first;
    if (first === undefined) {
      this.#noisy.delete(group);
      if (group.place >= 0) this.#quiet.remove(group);
      return;
    }
    if (group.place >= 0) {
      this.#quiet.move(group, first.turn);
      return;
    }
    group.rank = first.turn;
    if (!this.#noisy.has(group)) this.#quiet.add(group);
  }
}

/**
 * A FIFO queue's order: each group's messages as they were sent. While one of a group is in
 * flight, no other receive gets any of it; one receive may take several, one after the other.
 */
export class FifoOrder implements Order {
  readonly #groups = new Groups();
  /** The groups that have visible messages and none in flight. */
  readonly #open = new Heap<Group>();

  add(message: Message): void {
    const group = this.#groups.of(message);
    message.turn = message.number;
    // What was in flight comes back to where it was: close to the front.
    let before = group.visible.last;
    if (before && before.turn > message.turn) {
      before = undefined;
      let after = group.visible.first;
      while (after && after.turn < message.turn) {
        before = after;
        after = after.next;
      }
    }
    group.visible.insertAfter(message, before);
    this.#rank(group);
  }

  remove(message: Message): void {
    const group = this.#groups.of(message);
    group.visible.remove(message);
    this.#rank(group);
    this.#groups.forget(group);
  }

  taken(message: Message): void {
    const group = this.#groups.of(message);
    group.inFlight++;
    this.#rank(group);
  }

  released(message: Message): void {
    const group = this.#groups.of(message);
    group.inFlight--;
    this.#rank(group);
    this.#groups.forget(group);
  }

  next(previous: Message | undefined): Message | undefined {
    const same =
      previous?.state === 'inFlight' ? this.#groups.of(previous).visible.first : undefined;
    return same ?? this.#open.first?.visible.first;
  }

  clear(): void {
    this.#groups.clear();
    this.#open.clear();
  }

  /** Opens or locks the group, and puts it where its first message belongs. */
  #rank(group: Group): void {
    const first = group.inFlight === 0 ? group.visible.first : undefined;
    const isOpen = group.place >= 0;
    if (first === undefined) {
      if (isOpen) this.#open.remove(group);
    } else if (isOpen) {
      this.#open.move(group, first.turn);
    } else {
      group.rank = first.turn;
      this.#open.add(group);
    }
  }
}
