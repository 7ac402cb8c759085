import type { Database } from '../../sqlite.ts';
import type { Accounts } from '../engine/accounts.ts';
import type { DirtySet } from '../engine/dirty-set.ts';
import type { Queue } from '../engine/queue.ts';
import type { Extent } from './batch.ts';
import { loadMessages } from './loading.ts';
import type { QueueTables } from './queue-tables.ts';
import { readMemoriesOf, readQueueOf } from './reading.ts';

/** A queue, and how much of it is stored. */
export interface StoredQueue {
  readonly id: number;
  readonly queue: Queue;
  readonly changes: DirtySet;
  readonly tables: QueueTables;
  /** Extent on disk. */
  kept: Extent;
  /** Extent on disk once the write in progress is done. */
  written: Extent;
  /** When the queue was deleted; undefined if it was not. */
  deletedAt: number | undefined;
}

/**
 * Restores queues to what is on disk: their state before the changes that could not be written.
 *
 * @returns queues that were created since, and no longer exist
 */
export function undo(
  changed: readonly StoredQueue[],
  accounts: Accounts,
  sql: Database,
  now: number,
): StoredQueue[] {
  // Remove these first: one of them may have the name of a queue that is restored.
  const made = changed.filter(({ kept }) => !kept.isKept);
  for (const { queue } of made) accounts.around(queue).forget(queue);
  for (const tracked of changed) if (tracked.kept.isKept) restore(tracked, accounts, sql, now);
  return made;
}

function restore(tracked: StoredQueue, accounts: Accounts, sql: Database, now: number): void {
  const { id, queue, changes, tables, kept } = tracked;
  const queues = accounts.around(queue);
  if (tracked.deletedAt !== undefined) queues.undelete(queue);
  tracked.deletedAt = undefined;
  tracked.written = kept;
  const read = readQueueOf(sql, id, accounts.own.owner);
  if (changes.cleared) {
    queue.forget(undefined, now);
    loadMessages(queue, tables, read.messages, now);
  } else {
    // From the last to the first, since each is put in front of all others.
    for (const number of [...changes.messages.keys()].sort((a, b) => b - a)) {
      queue.forget(number, now);
      if (number > kept.lastNumber) continue;
      queue.restoreMessage(tables.readOne(number, queue.owner.accountId), true, now);
    }
  }
  queue.restore(read.kept);
  queue.recent.clear();
  for (const memory of readMemoriesOf(sql, id)) queue.recent.restore(memory);
  changes.reset();
  queues.onChange(queue);
}
