import type { SQSClient } from '@aws-sdk/client-sqs';
import type { FanfoldError } from '../../errors.ts';
import type { TaskRegistry } from '../../task-registry.ts';
import type { Chunk } from '../messages/chunk.ts';
import type { Meter } from '../run/meter.ts';
import type { Payloads } from '../run/payloads.ts';
import type { RunQueues } from '../run/run-queues.ts';
import type { Claim } from './claim.ts';
import type { EndedAttempt } from './held.ts';
import type { WriteLog } from './log-line.ts';
import type { RunPaces } from './run-paces.ts';
import type { Setups } from './setups.ts';
import type { Verdict } from './task-message.ts';

export interface WorkerOptions {
  sqs: SQSClient;
  tasks: TaskRegistry;
  taskQueueUrl: string;
  /** Whether SQS is a Fanfold server and not AWS. @default false */
  onServer?: boolean | undefined;
  /** Queue for messages that no worker can read. */
  deadQueueUrl: string;
  /** Name of the worker, which is in each of its results. */
  worker: string;
  /** Seconds that it keeps one chunk before it sends back the items that it has not started. */
  sliceSeconds: number;
  /** Knowledge about runs, if it outlives this worker. @default its own */
  runs?: RunQueues;
  /** Resources that tasks have set up, if they outlive this worker. @default its own */
  setups?: Setups;
  /** Paces of runs, if they outlive this worker. @default its own */
  paces?: RunPaces;
  /** Measures what the worker uses for each run. @default nothing is measured */
  meter?: Meter | undefined;
  /** Inputs and outputs that no message can hold. @default such outputs fail */
  payloads?: Payloads | undefined;
  /** Called with the reason for refusing a message: it is unreadable, or its task is unknown. */
  onRefused?: ((reason: FanfoldError) => void) | undefined;
  /** Called with each attempt at an input that has ended. */
  onEnded?: ((ended: EndedAttempt) => void) | undefined;
  /** Writes the lines that tasks log. @default JSON lines on the console */
  writeLog?: WriteLog | undefined;
}

/** A chunk whose items have run; its results are on their way to SQS. */
export interface Executed {
  settled: Promise<Verdict>;
  /** Whether it was handed back for lack of time. */
  tooLate?: boolean;
}

export interface HandleOptions {
  /** The worker's claim on the message. Its maker ends it when the message is deleted. */
  claim: Claim;
  /** Milliseconds until this process must have ended. Without it, there is no limit. */
  remainingMs?: (() => number) | undefined;
  /**
   * Whether a chunk is handed back if one of its items may take longer than the remaining time. If
   * false, its first item runs anyway: every process has a first chunk.
   * @default false
   */
  inTimeOnly?: boolean;
  /** Called with a chunk whose items are about to run. */
  onBegin?: (chunk: Chunk) => void;
  /** Called, perhaps repeatedly, when the last of its items run, which take milliseconds. */
  onAlmostFree?: (() => void) | undefined;
}
