/** A task message as a worker received it. */
export interface TaskMessage {
  id: string;
  body: string;
  receiptHandle: string;
  /** Number of times that SQS has delivered it, from 1. */
  receiveCount: number;
  /** Its message group, if it was received from the queue of lanes. */
  group?: string | undefined;
  /** When SQS first delivered it, in milliseconds since 1970, if it is known. */
  firstReceivedAt?: number | undefined;
}

/**
 * Verdict on a task message. `done`: SQS has accepted all of its results and resends, so it must be
 * deleted. `keep`: another worker has it or will get it.
 */
export type Verdict = 'done' | 'keep';
