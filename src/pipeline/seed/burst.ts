import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Names } from '../names.ts';

/** What a burst worker is invoked with. */
export interface BurstEvent {
  /** How many burst workers in a row it continues: 0 when the seed started it. */
  hop: number;
}

/** One page of a run, as far as it matters to how many workers it starts. */
export interface QueuedPage {
  /** Index of the page's first input. */
  first: number;
  /** Inputs in a chunk, about. */
  chunkItems: number;
  /** Task messages that the page was sent in. */
  chunks: number;
}

/** Starts under way at once: a thousand take a few seconds so, and Lambda is not rushed. */
const PARALLEL = 10;

/** The longest that a seed is held up by starting workers, which are only of help, in milliseconds. */
const LONGEST_MS = 5_000;

/** How many burst workers may be started. */
export interface BurstLimits {
  /** Burst workers of one run. */
  burst: number;
  /** Workers of the deployment at once, about. */
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
 * that is in the page, so that each page knows its part without asking anybody, and no more than
 * there is room for beside the workers that are busy. A start that fails does no harm, since the
 * task queue's event source works on whatever is left to it; so after a failure few others are tried.
 *
 * @returns how many were started, and what kept it from starting the others
 */
export async function startBurst(
  place: BurstPlace,
  page: QueuedPage,
  { burst, workers }: BurstLimits,
): Promise<{ started: number; failures: unknown[] }> {
  const firstChunk = Math.floor(page.first / page.chunkItems);
  const part = Math.max(0, Math.min(burst, firstChunk + page.chunks) - firstChunk);
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
  const starter = async () => {
    try {
      while (left-- > 0) {
        await invokeBurst(place.lambda, place.names, { hop: 0 }, tooLong.signal);
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

/** Each busy worker holds at least one task message, which SQS counts as in flight. */
async function busyWorkers(
  { sqs, taskQueueUrl }: BurstPlace,
  abortSignal: AbortSignal,
): Promise<number> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: taskQueueUrl,
    AttributeNames: ['ApproximateNumberOfMessagesNotVisible'],
  });
  const { Attributes = {} } = await sqs.send(command, { abortSignal });
  return Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0);
}

/** Has a burst worker started; ends when Lambda has accepted that. */
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
