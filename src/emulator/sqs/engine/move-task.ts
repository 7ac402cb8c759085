/** What becomes of a move task: it runs, and ends in one of four ways. */
export type MoveStatus = 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

/** One move of a dead-letter queue's messages, back to where they came from or to one queue. */
export interface MoveTask {
  readonly handle: string;
  /** Undefined: each message goes back to its own source. */
  readonly destinationArn: string | undefined;
  readonly perSecond: number | undefined;
  readonly startedAt: number;
  /** How many there were to move at the start. */
  readonly toMove: number;
  readonly moved: number;
  readonly status: MoveStatus;
  readonly failure: string | undefined;
}
