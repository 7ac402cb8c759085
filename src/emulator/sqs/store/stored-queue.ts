import type { DirtySet } from '../engine/dirty-set.ts';
import type { Queue } from '../engine/queue.ts';
import type { Extent } from './batch.ts';
import type { QueueTables } from './queue-tables.ts';

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
