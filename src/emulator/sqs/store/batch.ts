import type { DirtySet } from '../engine/dirty-set.ts';
import type { Message } from '../engine/message.ts';
import type { Queue } from '../engine/queue.ts';
import type { Moment } from '../service-time.ts';
import { type PackedStates, packStates } from './packed-states.ts';
import { countRow, hasState, memoryRow, messageRow, queueRow, type Value } from './rows.ts';

/** The content of one transaction. Plain data, since another thread writes it. */
export interface Batch {
  readonly queues: readonly QueueWrite[];
  /** Names of deleted queues, and when they were deleted. */
  readonly deletions: readonly (readonly [name: string, at: number])[];
  /** When the batch was made. */
  readonly moment: Moment;
}

/** The part of a batch about one queue. Rows don't have their checksums yet. */
export interface QueueWrite {
  readonly id: number;
  readonly does: 'create' | 'keep' | 'drop';
  /** Whether everything stored before must be deleted first. */
  readonly cleared: boolean;
  /** The row of the queue itself; undefined if it has not changed. */
  readonly queue: Value[] | undefined;
  readonly counts: Value[];
  readonly messages: readonly Value[][];
  readonly states: PackedStates;
  /** Numbers of messages to delete. */
  readonly gone: readonly number[];
  readonly memories: readonly Value[][];
}

/** How much of a queue is stored, or will be after the write in progress. */
export interface Extent {
  readonly isKept: boolean;
  /** Number of the last message that was written. Messages with higher numbers are new. */
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
