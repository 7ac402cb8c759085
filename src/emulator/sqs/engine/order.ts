import { NOISY_IN_FLIGHT, NOISY_SHARE } from '../limits.ts';
import { DecayedLoad } from './decayed-load.ts';
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
  taken(message: Message, now: number): void;
  /** A message is in flight no more. */
  released(message: Message, now: number): void;
  /** @param previous what the same receive took before */
  next(previous: Message | undefined, now: number): Message | undefined;
  clear(): void;
}

/** The messages of one MessageGroupId, or those of none. */
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
    if (group.visible.length === 0 && group.load.inFlight === 0) this.#byId.delete(group.id);
  }

  clear(): void {
    this.#byId.clear();
  }
}

/**
 * A standard queue's order: as messages became visible, but one group must not keep the others
 * waiting. A group that has many messages in flight, and a tenth of all, is noisy, and so is one
 * that takes a tenth of the processing time: its messages are received when no quiet group's wait.
 * That is what AWS calls a fair queue. Of several noisy groups the one that has taken the least is
 * next, so that they share alike, however many of their messages wait.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export class FairOrder implements Order {
  readonly #groups = new Groups();
  /** The groups that have visible messages: those that were quiet when last looked at ... */
  readonly #quiet = new Heap<Group>();
  /** ... and those that were noisy: fewer than ten, and some that have just calmed down. */
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
    // Messages of no group are nobody's: each stands for itself.
    if (id === undefined) return false;
    const { inFlight } = load;
    if (inFlight >= NOISY_IN_FLIGHT && inFlight > this.#total.inFlight * NOISY_SHARE) return true;
    return load.msAt(now) > this.#total.msAt(now) * NOISY_SHARE;
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

/** Whether a noisy group's messages come before another's: it has taken less, or waited longer. */
function isBefore(one: Group, other: Group, now: number): boolean {
  const more = one.load.msAt(now) - other.load.msAt(now);
  return more < 0 || (more === 0 && one.rank < other.rank);
}
