import type { Message } from './message.ts';
import type { MoveTask } from './move-task.ts';
import type { Owner } from './owner.ts';
import type { Queue } from './queue.ts';
import type { Sent, Taken } from './recent-calls.ts';

/** What a queue remembers for a while: an id that was sent, or what a receive's attempt gave out. */
export type Memory = { readonly key: string; readonly endsAt: number } & (
  | { readonly sent: Sent }
  | { readonly taken: readonly Taken[] }
);

/**
 * What of a queue is other than it was kept last. Only the queues of an SQS that keeps them have
 * one. It says what is to be written, not what has happened: a message that has come and gone
 * between two writings is written never, and one that was received a hundred times once.
 */
export class Changes {
  /** By number; undefined where the message is gone. */
  messages = new Map<number, Message | undefined>();
  /** What the queue remembers since. */
  memories: Memory[] = [];
  /** All that there was before is gone. */
  cleared = false;
  /** The queue itself has changed: attributes, tags, times. */
  itself = false;
  readonly #onFirst: (changes: Changes) => void;
  #any = false;

  /** @param onFirst called when there is something to be kept, and was not before */
  constructor(onFirst: (changes: Changes) => void) {
    this.#onFirst = onFirst;
  }

  mark(): void {
    this.itself = true;
    this.#touch();
  }

  put(message: Message): void {
    this.messages.set(message.number, message);
    this.#touch();
  }

  gone(message: Message): void {
    this.messages.set(message.number, undefined);
    this.#touch();
  }

  remember(memory: Memory): void {
    this.memories.push(memory);
    this.#touch();
  }

  clear(): void {
    this.reset();
    this.cleared = true;
    this.mark();
  }

  /**
   * What was being kept is not kept after all.
   *
   * @param numbers of messages that had changed
   */
  giveBack(numbers: Iterable<number>, cleared: boolean): void {
    for (const number of numbers) this.messages.set(number, undefined);
    this.cleared ||= cleared;
  }

  /** All is as it is kept. */
  reset(): void {
    this.messages = new Map();
    this.memories = [];
    this.cleared = false;
    this.itself = false;
    this.#any = false;
  }

  #touch(): void {
    if (this.#any) return;
    this.#any = true;
    this.#onFirst(this);
  }
}

/** Keeps queues: told of each that comes or goes, and through their changes of all else. */
export interface Keeper {
  /** Changes of a queue that is about to be made. */
  track(): Changes;
  created(queue: Queue): void;
  deleted(queue: Queue, now: number): void;
}

/** What is kept of a queue besides its messages. */
export interface KeptQueue {
  readonly name: string;
  readonly owner: Owner;
  readonly uid: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly purgedAt: number;
  readonly attributes: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  readonly moveTasks: readonly MoveTask[];
  /** The number of the message that was sent last. */
  readonly lastNumber: number;
}
