import type { DirtySet } from './dirty-set.ts';
import type { Queue } from './queue.ts';

/**
 * Stores queues: its methods report queues that are created or deleted, their dirty sets all other
 * changes.
 */
export interface Keeper {
  /** The dirty set for a queue that is about to be created. */
  track(): DirtySet;
  created(queue: Queue): void;
  deleted(queue: Queue, now: number): void;
}
