import type { DirtySet } from '../engine/dirty-set.ts';
import type { Queue } from '../engine/queue.ts';
import type { Extent } from './batch.ts';
import type { QueueTables } from './queue-tables.ts';

/** A queue, and how much of it is kept. */
export interface StoredQueue {
  readonly id: number;
  readonly queue: Queue;
  readonly changes: DirtySet;
  readonly tables: QueueTables;
  /** What is on disk. */
  kept: Extent;
  /** What is on disk when what is on its way has arrived. */
  written: Extent;
  /** When it was deleted, if it was. */
  deletedAt: number | undefined;
}
