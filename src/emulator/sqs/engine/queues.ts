import { randomUUID } from 'node:crypto';
import { invalidParameter, SqsError } from '../errors.ts';
import { FIFO_QUEUE_NAME, QUEUE_NAME } from '../limits.ts';
import type { DirtySet } from './dirty-set.ts';
import { Queue } from './queue.ts';
import type { KeptQueue, Owner } from './queue-state.ts';
import { allowsRedrive, readRedrivePolicy, redriveRefusal } from './redrive.ts';
import {
  type Attributes,
  asksForFifo,
  changed,
  checkThroughput,
  difference,
  initialAttributes,
  readAttributes,
} from './settings.ts';
import type { Surroundings } from './surroundings.ts';

/** Stores queues. New and deleted queues are reported by calls, other changes by dirty sets. */
export interface Keeper {
  /** The dirty set for a queue that is about to be created. */
  track(): DirtySet;
  created(queue: Queue): void;
  deleted(queue: Queue, now: number): void;
}

export interface QueuesOptions {
  /** Time in which a deleted queue's name can't be used again, in seconds. */
  readonly recreateAfterSeconds: number;
  /** Shortest time between two purges of a queue, in seconds. */
  readonly purgeAfterSeconds: number;
  /** Time for which FIFO queues remember deduplication ids and receives, in seconds. */
  readonly fifoMemorySeconds: number;
  /** Whether messages carry the MD5 of their body. */
  readonly bodyDigests: boolean;
  /** Undefined: the queues are in memory only. */
  readonly keeper: Keeper | undefined;
  /** Called when a queue exists or no longer exists; see `QueueChange`. */
  readonly onQueue: ((change: QueueChange) => void) | undefined;
}

/** A queue that was created, restored from a store, or deleted. */
export interface QueueChange {
  /** `restored`: loaded from the store. */
  change: 'created' | 'restored' | 'deleted';
  /** The queue's name. */
  name: string;
  /** Its tags: once it has those of its creation, or at its end. */
  tags: ReadonlyMap<string, string>;
}

/** All queues of one account in one region. */
export class Queues implements Surroundings<Queue> {
  readonly owner: Owner;
  readonly #options: QueuesOptions;
  readonly #changed: Set<Queue>;
  readonly #onUsed: (queues: Queues) => void;
  readonly #byName = new Map<string, Queue>();
  /** When each name was deleted, the earliest first. */
  readonly #deletedAt = new Map<string, number>();

  /**
   * @param changed receives the queues whose waiting receives must be served
   * @param onUsed called when it contains something that must be remembered
   */
  constructor(
    owner: Owner,
    options: QueuesOptions,
    changed: Set<Queue>,
    onUsed: (queues: Queues) => void,
  ) {
    this.owner = owner;
    this.#options = options;
    this.#changed = changed;
    this.#onUsed = onUsed;
  }

  get accountId(): string {
    return this.owner.accountId;
  }

  get bodyDigests(): boolean {
    return this.#options.bodyDigests;
  }

  get purgeAfterSeconds(): number {
    return this.#options.purgeAfterSeconds;
  }

  /** Creates a queue, or returns the existing one that has this name and these attributes. */
  create(name: string, given: Readonly<Record<string, string>>, now: number): Queue {
    const isFifo = checkQueueName(name, given);
    const attributes = readAttributes(given, isFifo);
    const existing = this.#byName.get(name);
    if (existing) {
      const differing = difference(existing.attributes, attributes);
      if (differing === undefined) return existing;
      throw new SqsError(
        'QueueNameExists',
        `A queue already exists with the same name and a different value for attribute ${differing}`,
      );
    }
    this.#checkRedrivePolicy(this.#arn(name), isFifo, given, attributes);
    this.#checkNotDeletedRecently(name, now);
    checkThroughput(changed(initialAttributes(isFifo), attributes));
    const queue = this.#make(name, randomUUID().slice(0, 8), isFifo, now);
    if (attributes.size > 0) queue.setAttributes(attributes, now);
    this.#byName.set(name, queue);
    this.#options.keeper?.created(queue);
    // The action sets the tags after the queue is created.
    queueMicrotask(() => this.#report('created', queue));
    return queue;
  }

  #make(name: string, uid: string, isFifo: boolean, createdAt: number): Queue {
    const { fifoMemorySeconds: memorySeconds, keeper } = this.#options;
    const changes = keeper?.track();
    const { owner } = this;
    this.#onUsed(this);
    const identity = { name, owner, arn: this.#arn(name), uid, isFifo, memorySeconds, changes };
    return new Queue(identity, this, createdAt);
  }

  /** Restores a stored queue, without its messages. */
  restore(kept: KeptQueue): Queue {
    const isFifo = kept.attributes.get('FifoQueue') === 'true';
    const queue = this.#make(kept.name, kept.uid, isFifo, kept.createdAt);
    queue.restore(kept);
    this.#byName.set(queue.name, queue);
    this.#report('restored', queue);
    return queue;
  }

  #report(change: QueueChange['change'], { name, tags }: Queue): void {
    this.#options.onQueue?.({ change, name, tags });
  }

  /** Restores a queue whose deletion was undone. */
  undelete(queue: Queue): void {
    this.#byName.set(queue.name, queue);
    this.#deletedAt.delete(queue.name);
  }

  /** Removes a queue whose creation was undone. */
  forget(queue: Queue): void {
    if (this.#byName.get(queue.name) === queue) this.#byName.delete(queue.name);
  }

  /** Restores a deletion, which must be later than those restored before. */
  restoreDeletion(name: string, deletedAt: number): void {
    this.#onUsed(this);
    this.#deletedAt.set(name, deletedAt);
  }

  setAttributes(queue: Queue, given: Readonly<Record<string, string>>, now: number): void {
    const attributes = readAttributes(given, queue.isFifo);
    checkThroughput(changed(queue.attributes, attributes));
    this.#checkRedrivePolicy(queue.arn, queue.isFifo, given, attributes);
    queue.setAttributes(attributes, now);
  }

  delete(queue: Queue, now: number): void {
    this.#byName.delete(queue.name);
    this.#forgetDeletions(now);
    this.#deletedAt.set(queue.name, now);
    this.#options.keeper?.deleted(queue, now);
    this.#report('deleted', queue);
  }

  find(name: string): Queue | undefined {
    return this.#byName.get(name);
  }

  /** All queues whose name starts with the prefix, by name. */
  withPrefix(prefix: string): Queue[] {
    return [...this.#byName.values()]
      .filter((queue) => queue.name.startsWith(prefix))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** All queues that have this one as their dead-letter queue, by name. */
  sourcesOf(deadLetterQueue: Queue): Queue[] {
    return this.withPrefix('').filter(
      ({ settings }) => settings.redrivePolicy?.deadLetterTargetArn === deadLetterQueue.arn,
    );
  }

  deadLetterQueue(arn: string, sourceArn: string): Queue | undefined {
    const queue = this.byArn(arn);
    if (!allowsRedrive(queue?.attributes.get('RedriveAllowPolicy'), sourceArn)) return undefined;
    return queue;
  }

  onChange(queue: Queue): void {
    this.#changed.add(queue);
  }

  #arn(name: string): string {
    return `arn:aws:sqs:${this.owner.region}:${this.accountId}:${name}`;
  }

  byArn(arn: string): Queue | undefined {
    const queue = this.#byName.get(arn.slice(arn.lastIndexOf(':') + 1));
    return queue?.arn === arn ? queue : undefined;
  }

  #checkRedrivePolicy(
    sourceArn: string,
    sourceIsFifo: boolean,
    given: Readonly<Record<string, string>>,
    attributes: Attributes,
  ): void {
    const value = attributes.get('RedrivePolicy');
    if (!value) return;
    const { deadLetterTargetArn } = readRedrivePolicy(value);
    const asGiven = given.RedrivePolicy ?? value;
    if (deadLetterTargetArn === sourceArn) {
      throw redriveRefusal(asGiven, 'A queue cannot be its own dead letter target.');
    }
    const target = this.byArn(deadLetterTargetArn);
    if (target === undefined) throw redriveRefusal(asGiven, 'Dead letter target does not exist.');
    if (target.isFifo !== sourceIsFifo) {
      const reason = 'Dead-letter queue must be same type of queue as the source.';
      throw redriveRefusal(asGiven, reason);
    }
    if (!allowsRedrive(target.attributes.get('RedriveAllowPolicy'), sourceArn)) {
      throw redriveRefusal(asGiven, 'Dead letter target does not allow this source queue.');
    }
  }

  #checkNotDeletedRecently(name: string, now: number): void {
    this.#forgetDeletions(now);
    if (!this.#deletedAt.has(name)) return;
    throw new SqsError(
      'QueueDeletedRecently',
      'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
    );
  }

  #forgetDeletions(now: number): void {
    for (const [name, deletedAt] of this.#deletedAt) {
      if (deletedAt + this.#options.recreateAfterSeconds * 1000 > now) return;
      this.#deletedAt.delete(name);
    }
  }
}

/** @returns whether the queue is a FIFO queue, on which name and attribute must agree */
function checkQueueName(name: string, given: Readonly<Record<string, string>>): boolean {
  const isFifo = asksForFifo(given);
  if (isFifo && !FIFO_QUEUE_NAME.test(name)) {
    throw invalidParameter(
      'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.',
    );
  }
  if (!isFifo && !QUEUE_NAME.test(name)) {
    throw invalidParameter(
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
    );
  }
  return isFifo;
}
