import { NOISY_IN_FLIGHT, NOISY_SHARE } from '../limits.ts';
import { DecayedLoad } from './decayed-load.ts';
import { Heap, type Ranked } from './heap.ts';
import { LinkedList } from './linked-list.ts';
import type { Message } from './message.ts';

/** Decides which visible message of a queue is next. The queue reports each change to it. */
export interface Order {
  /** A message became visible. @param first whether it was taken back, and precedes all others */
  add(message: Message, first?: boolean): void;
  /** A message is no longer visible. */
  remove(message: Message): void;
  /** A message is now in flight. */
  taken(message: Message, now: number): void;
  /** A message is no longer in flight. */
  released(message: Message, now: number): void;
  /** @param previous the message that the same receive took before */
  next(previous: Message | undefined, now: number): Message | undefined;
  clear(): void;
}

/** The messages of one MessageGroupId, or those without one. */
class Group implements Ranked {
  readonly id: string | undefined;
  readonly visible = new LinkedList<Message>();
  readonly load = new DecayedLoad();
  /** The turn of its first visible message. */
  rank = 0;
  readonly number: number;
  place = -1;

  constructor(id: string | undefined, number: number) {
    this.id = id;
    this.number = number;
  }
}

/** A queue's groups that have visible messages or messages in flight. */
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
    if (group.visible.length === 0 && group.load.inFlight === 0) this.#byId.delete(group.id);
  }

  clear(): void {
    this.#byId.clear();
  }
}

/**
 * A standard queue's order: messages as they became visible, except that one group must not keep
 * the others waiting. AWS calls this a fair queue. A group is noisy if it has many messages in
 * flight that are more than a tenth of all, or if it takes more than a tenth of the processing
 * time. Its messages are received when no quiet group has any. Among noisy groups, the one that has
 * taken the least is next: they share equally, however many messages each has waiting.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export class FairOrder implements Order {
  readonly #groups = new Groups();
  /** Groups with visible messages that were quiet at the last check. */
  readonly #quiet = new Heap<Group>();
  /** Groups that were noisy then: fewer than ten, and some that have just calmed down. */
  readonly #noisy = new Set<Group>();
  #total = new DecayedLoad();
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

  taken(message: Message, now: number): void {
    this.#groups.of(message).load.add(now);
    this.#total.add(now);
  }

  released(message: Message, now: number): void {
    const group = this.#groups.of(message);
    group.load.remove(now);
    this.#total.remove(now);
    this.#groups.forget(group);
  }

  next(_previous: Message | undefined, now: number): Message | undefined {
    for (const group of this.#noisy) {
      if (this.#isNoisy(group, now)) continue;
      this.#noisy.delete(group);
      this.#quiet.add(group);
    }
    for (let group = this.#quiet.first; group; group = this.#quiet.first) {
      if (!this.#isNoisy(group, now)) return group.visible.first;
      this.#quiet.remove(group);
      this.#noisy.add(group);
    }
    let next: Group | undefined;
    for (const group of this.#noisy) if (!next || isBefore(group, next, now)) next = group;
    return next?.visible.first;
  }

  clear(): void {
    this.#groups.clear();
    this.#quiet.clear();
    this.#noisy.clear();
    this.#total = new DecayedLoad();
  }

  #isNoisy({ id, load }: Group, now: number): boolean {
    // Messages without a group don't form one: each stands for itself.
    if (id === undefined) return false;
    const { inFlight } = load;
    if (inFlight >= NOISY_IN_FLIGHT && inFlight > this.#total.inFlight * NOISY_SHARE) return true;
    return load.msAt(now) > this.#total.msAt(now) * NOISY_SHARE;
  }

  /** Ranks the group by its first visible message. */
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

/** Whether a noisy group comes before another: it has taken less or, on a tie, waited longer. */
function isBefore(one: Group, other: Group, now: number): boolean {
  const more = one.load.msAt(now) - other.load.msAt(now);
  return more < 0 || (more === 0 && one.rank < other.rank);
}
