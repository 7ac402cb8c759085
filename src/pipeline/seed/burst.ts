import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Names } from '../names.ts';
import { backlogAt } from '../run/backlog.ts';

/** The event that invokes a burst worker. */
export interface BurstEvent {
  /** Number of burst workers in a row that it continues: 0 if the seed started it. */
  hop: number;
  /** The run that the seed started it for, if that run has a result queue of its own. */
  runId?: string | undefined;
}

/** One page of a run, with the facts that decide how many workers it starts. */
export interface QueuedPage {
  /** Approximate number of task messages that the run's earlier pages were sent in. */
  before: number;
  /** Number of those of this page. */
  chunks: number;
  /** The run, if it has a result queue of its own. */
  runId?: string | undefined;
  /** Number of lanes of the run, each of which one worker at a time works on. @default no bounds */
  lanes?: number | undefined;
}

/** Starts under way at once: a thousand take a few seconds, without rushing Lambda. */
const PARALLEL = 10;

/** Longest delay of a seed by starting workers, which are an optimization, in milliseconds. */
const LONGEST_MS = 5_000;

/** Limits on the number of burst workers. */
export interface BurstLimits {
  /** Most burst workers of one run. */
  burst: number;
  /** Approximate limit of the deployment's workers at once. */
  workers: number;
}

/** The deployment that burst workers are started for. */
export interface BurstPlace {
  sqs: SQSClient;
  lambda: LambdaClient;
  names: Names;
  taskQueueUrl: string;
}

/**
 * Starts burst workers for a page that was queued: one for each of the run's first `burst` chunks
 * that is in the page, so that each page knows its part without a further call. A run with bounds
 * has at most one for each of its lanes. It starts no more than there is room for beside the busy
 * workers. A failed start does no harm, since the task
 * queue's event source handles the remaining chunks; so few others are tried after a failure.
 *
 * @returns the number of workers started, and the errors that prevented others
 */
export async function startBurst(
  place: BurstPlace,
  page: QueuedPage,
  { burst, workers }: BurstLimits,
): Promise<{ started: number; failures: unknown[] }> {
  const most = Math.min(burst, page.lanes ?? burst);
  const part = Math.max(0, Math.min(most, page.before + page.chunks) - page.before);
  const failures: unknown[] = [];
  let started = 0;
  if (part === 0) return { started, failures };
  const tooLong = new AbortController();
  const timer = setTimeout(() => tooLong.abort(), LONGEST_MS);
  const busy = await busyWorkers(place, tooLong.signal).catch((error: unknown) => {
    failures.push(error);
    return 0;
  });
  let left = Math.max(0, Math.min(part, workers - busy));
  const event: BurstEvent = { hop: 0, runId: page.runId };
  const starter = async () => {
    try {
      while (left-- > 0) {
        await invokeBurst(place.lambda, place.names, event, tooLong.signal);
        started++;
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, left) }, starter));
  clearTimeout(timer);
  return { started, failures };
}

/**
 * Number of busy workers: each holds at least one task message, which SQS counts as in flight. It
 * also counts those that wait for their lane, of which there are few.
 */
async function busyWorkers(
  { sqs, taskQueueUrl }: BurstPlace,
  abortSignal: AbortSignal,
): Promise<number> {
  const { inFlight } = await backlogAt(sqs, taskQueueUrl, abortSignal);
  return inFlight;
}

/** Starts a burst worker. Resolves when Lambda has accepted the event. */
export async function invokeBurst(
  lambda: LambdaClient,
  names: Names,
  event: BurstEvent,
  abortSignal?: AbortSignal,
): Promise<void> {
  const command = new InvokeCommand({
    FunctionName: names.burst,
    InvocationType: 'Event',
    Payload: JSON.stringify(event),
  });
  await lambda.send(command, abortSignal ? { abortSignal } : {});
}
