import type { DirtySet } from './dirty-set.ts';
import type { Owner } from './queue-state.ts';

/** A queue's access to the queues around it. */
export interface Surroundings<Queue> {
  /** The dead-letter queue of an ARN; undefined if it is gone or refuses the source. */
  deadLetterQueue(arn: string, sourceArn: string): Queue | undefined;
  /** Called when a message became visible, or when the next one will do so at another time. */
  onChange(queue: Queue): void;
}

export interface QueueIdentity {
  readonly name: string;
  readonly owner: Owner;
  readonly arn: string;
  /** Distinguishes this queue's receipt handles from those of an earlier queue with its name. */
  readonly uid: string;
  readonly isFifo: boolean;
  /** Time for which a FIFO queue remembers deduplication ids and receives, in seconds. */
  readonly memorySeconds: number;
  /** Records the queue's changes; undefined if it is not stored. */
  readonly changes: DirtySet | undefined;
}
