import type { SQSClient } from '@aws-sdk/client-sqs';
import type { FanfoldError } from '../../errors.ts';
import type { TaskRegistry } from '../../task.ts';
import type { Chunk } from '../messages/chunk.ts';
import type { RunQueues } from '../run/queues.ts';
import type { WriteLog } from './attempt.ts';
import type { EndedAttempt, Verdict } from './chunk-execution.ts';
import type { Claim } from './claim.ts';
import type { Setups } from './setups.ts';

export interface WorkerOptions {
  sqs: SQSClient;
  tasks: TaskRegistry;
  taskQueueUrl: string;
  /** Whether SQS is a server of ours and not AWS. @default false */
  onServer?: boolean | undefined;
  /** Where messages go that nobody can read. */
  deadQueueUrl: string;
  /** Who reports: stands in each result. */
  worker: string;
  /** How long it keeps one chunk before it sends back what it has not started, in seconds. */
  sliceSeconds: number;
  /** What is known of runs, where that outlives this worker. @default its own */
  runs?: RunQueues;
  /** What tasks have set up, where that outlives this worker. @default its own */
  setups?: Setups;
  /** Told why a message is not for this worker: it can't be read here, or its task is not here. */
  onRefused?: ((reason: FanfoldError) => void) | undefined;
  /** Told of each attempt at an input that has ended. */
  onEnded?: ((ended: EndedAttempt) => void) | undefined;
  /** Writes the lines that tasks log. @default JSON lines on the console */
  writeLog?: WriteLog | undefined;
}

/** A chunk whose items have been run; what came of it is on its way to SQS. */
export interface Executed {
  settled: Promise<Verdict>;
  /** Whether it was handed back, since there was no time for it. */
  tooLate?: boolean;
}

export interface HandleOptions {
  /** The worker's hold on the message: whoever made it ends it, when the message is deleted. */
  claim: Claim;
  /** Milliseconds until this process must have ended; without it there is no such limit. */
  remainingMs?: (() => number) | undefined;
  /**
   * Whether a chunk is handed back when one of its items may take longer than remains. Without it,
   * its first item is run all the same: some chunk is any process's first.
   * @default false
   */
  inTimeOnly?: boolean;
  /** Told of a chunk whose items are about to run. */
  onBegin?: (chunk: Chunk) => void;
}
