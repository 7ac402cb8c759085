import type { Failure } from '../messages/result.ts';
import type { Attempt } from './attempt.ts';
import type { Outbox } from './report.ts';
import type { TaskMessage } from './task-message.ts';

/** Last report of a dying process on a chunk that it holds. */
export interface LastWords {
  /** Indexes of the items that it may have died of: they were running, or about to run. */
  suspects: number[];
  /** Indexes of the items whose attempts failed and must be made again. */
  again: number[];
  /** Indexes whose results or further attempts are in SQS or among the unsent messages. */
  settled: number[];
}

/** A chunk that a worker holds, as it is when the worker's process dies. */
export interface Held {
  readonly message: TaskMessage;
  readonly outbox: Outbox;
  /** @param culprit the attempt that the process dies of, if known */
  lastWords(culprit: Attempt | undefined): LastWords;
}

/** An attempt at one input that has ended, as reported to observers of a worker. */
export interface EndedAttempt {
  runId: string;
  task: string;
  index: number;
  attempt: number;
  ms: number;
  /** The failure; undefined if it is ok. */
  failure: Omit<Failure, 'attempts'> | undefined;
  /** Whether the input will be tried again. */
  again: boolean;
}
