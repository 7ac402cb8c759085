import type { DirtySet } from './dirty-set.ts';
import type { Queue } from './queue.ts';

/** Stores queues. New and deleted queues are reported by calls, other changes by dirty sets. */
export interface Keeper {
  /** The dirty set for a queue that is about to be created. */
  track(): DirtySet;
  created(queue: Queue): void;
  deleted(queue: Queue, now: number): void;
}
