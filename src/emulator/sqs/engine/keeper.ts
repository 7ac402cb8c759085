import type { DirtySet } from './dirty-set.ts';
import type { Queue } from './queue.ts';

/** Keeps queues: told of each that comes or goes, and through their changes of all else. */
export interface Keeper {
  /** Changes of a queue that is about to be made. */
  track(): DirtySet;
  created(queue: Queue): void;
  deleted(queue: Queue, now: number): void;
}
