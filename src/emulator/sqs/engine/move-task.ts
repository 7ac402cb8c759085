/** Status of a move task: it runs, and ends in one of three ways. */
export type MoveStatus = 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

/** A move of a dead-letter queue's messages, back to their sources or to one queue. */
export interface MoveTask {
  readonly handle: string;
  /** Undefined: each message goes back to its own source. */
  readonly destinationArn: string | undefined;
  readonly perSecond: number | undefined;
  readonly startedAt: number;
  /** Number of messages to move, counted at the start. */
  readonly toMove: number;
  readonly moved: number;
  readonly status: MoveStatus;
  readonly failure: string | undefined;
}
