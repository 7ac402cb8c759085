import type { DirtySet } from '../engine/dirty-set.ts';
import type { Message } from '../engine/message.ts';
import type { Queue } from '../engine/queue.ts';
import type { Moment } from '../service-time.ts';
import { type PackedStates, packStates } from './packed-states.ts';
import { countRow, hasState, memoryRow, messageRow, queueRow, type Value } from './rows.ts';

/** What one transaction writes: plain data, since another thread does it. */
export interface Batch {
  readonly queues: readonly QueueWrite[];
  /** Names that were given up, and when. */
  readonly deletions: readonly (readonly [name: string, at: number])[];
  /** Now. */
  readonly moment: Moment;
}

/** What is written of one queue. Rows are without their checksums. */
export interface QueueWrite {
  readonly id: number;
  readonly does: 'create' | 'keep' | 'drop';
  /** All that there was before is dropped. */
  readonly cleared: boolean;
  /** Undefined: the queue itself is as it was. */
  readonly queue: Value[] | undefined;
  readonly counts: Value[];
  readonly messages: readonly Value[][];
  readonly states: PackedStates;
  /** Numbers of messages. */
  readonly gone: readonly number[];
  readonly memories: readonly Value[][];
}

/** How much of a queue is on disk, or on its way. */
export interface Extent {
  readonly isKept: boolean;
  /** Of the message that was written last: those after it are new. */
  readonly lastNumber: number;
}

export function dropOf(id: number): QueueWrite {
  return {
    id,
    does: 'drop',
    cleared: true,
    queue: undefined,
    counts: [],
    messages: [],
    states: packStates([]),
    gone: [],
    memories: [],
  };
}

/** @param fullName see `fullNameOf` */
export function writeOf(
  id: number,
  fullName: string,
  queue: Queue,
  changes: DirtySet,
  written: Extent,
): QueueWrite {
  const messages: Value[][] = [];
  const states: Message[] = [];
  const gone: number[] = [];
  for (const [number, message] of changes.messages) {
    const isNew = number > written.lastNumber;
    if (message === undefined) {
      if (!isNew) gone.push(number);
      continue;
    }
    if (isNew) messages.push(messageRow(message, queue.owner.accountId));
    if (!isNew || hasState(message)) states.push(message);
  }
  return {
    id,
    does: written.isKept ? 'keep' : 'create',
    cleared: changes.cleared,
    queue: changes.itself ? queueRow(id, queue, fullName) : undefined,
    counts: countRow(id, queue),
    messages,
    states: packStates(states),
    gone,
    memories: changes.memories.map((memory) => memoryRow(id, memory)),
  };
}
