import type { DirtySet } from './dirty-set.ts';
import type { Owner } from './owner.ts';

/** What a queue needs of the queues around it. */
export interface Surroundings<Queue> {
  /** The dead-letter queue that an ARN names; undefined when it is gone or refuses the source. */
  deadLetterQueue(arn: string, sourceArn: string): Queue | undefined;
  /** Told when a message of the queue became visible, or when the next one will has changed. */
  onChange(queue: Queue): void;
}

export interface QueueIdentity {
  readonly name: string;
  readonly owner: Owner;
  readonly arn: string;
  /** Tells this queue's receipt handles from those of an earlier queue of its name. */
  readonly uid: string;
  readonly isFifo: boolean;
  /** How long a FIFO queue remembers deduplication ids and receives, in seconds. */
  readonly memorySeconds: number;
  /** Told of what happens to it; undefined where it is not kept. */
  readonly changes: DirtySet | undefined;
}
