import type { Message } from './message.ts';
import type { Memory } from './queue-state.ts';

/**
 * The queue's dirty set: everything that changed since the last write. Only a durable SQS's queues
 * have one. It holds what must be written, not what has happened. A message that was sent and
 * deleted between two writes is never written; one that was received a hundred times is written
 * once.
 */
export class DirtySet {
  /** By number; undefined for a message that is gone. */
  messages = new Map<number, Message | undefined>();
  /** Memories added since the last write. */
  memories: Memory[] = [];
  /** Whether everything stored before is gone. */
  cleared = false;
  /** Whether the queue itself has changed: attributes, tags, times. */
  itself = false;
  readonly #onFirst: (changes: DirtySet) => void;
  #any = false;

  /** @param onFirst called at the first change after a write */
  constructor(onFirst: (changes: DirtySet) => void) {
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
   * Adds the changes of a write that failed.
   *
   * @param numbers of messages that had changed
   */
  giveBack(numbers: Iterable<number>, cleared: boolean): void {
    for (const number of numbers) this.messages.set(number, undefined);
    this.cleared ||= cleared;
  }

  /** Marks everything as written. */
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
