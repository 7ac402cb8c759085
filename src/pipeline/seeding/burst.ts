import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
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

/** Who waits for the seed waits no longer than this for what is only of help, in milliseconds. */
const LONGEST_MS = 5_000;

/**
 * Starts burst workers for a page that was queued: one for each of the run's first `limit` chunks
 * that is in the page, so that each page knows its part without asking anybody. A start that fails
 * does no harm, since the task queue's event source works on whatever is left to it; so after a
 * failure few others are tried.
 *
 * @param limit how many burst workers a run may start
 * @returns how many were started, and what kept it from starting the others
 */
export async function startBurst(
  lambda: LambdaClient,
  names: Names,
  page: QueuedPage,
  limit: number,
): Promise<{ started: number; failures: unknown[] }> {
  const firstChunk = Math.floor(page.first / page.chunkItems);
  let left = Math.max(0, Math.min(limit, firstChunk + page.chunks) - firstChunk);
  const abortSignal = AbortSignal.timeout(LONGEST_MS);
  const failures: unknown[] = [];
  let started = 0;
  const starter = async () => {
    try {
      while (left-- > 0) {
        await invokeBurst(lambda, names, { hop: 0 }, abortSignal);
        started++;
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, left) }, starter));
  return { started, failures };
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
