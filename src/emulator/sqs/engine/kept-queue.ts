import type { MoveTask } from './move-task.ts';
import type { Owner } from './owner.ts';

/** The stored data of a queue, without its messages. */
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
  /** Number of the message that was sent last. */
  readonly lastNumber: number;
}
