import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { growth } from '../../retry.ts';
import type { AnyTask } from '../../task.ts';
import { type Chunk, type ChunkItem, chunkBody, cut, type Stall } from '../messages/chunk.ts';
import { isOldLook } from '../run/queues.ts';
import { type Outgoing, sendAll } from '../run/send.ts';

/** The task queue, as what sends chunks back to it knows it. */
export interface TaskQueue {
  sqs: SQSClient;
  taskQueueUrl: string;
}

/** What a task says of its further attempts. */
export type RetryOptions = Pick<
  AnyTask,
  'maxAttempts' | 'backoffBaseSeconds' | 'backoffCapSeconds' | 'concurrency'
>;

/** The most parts that a chunk is cut into: one that came again, or the rest when a slice is over. */
export const PARTS = 10;

/** A message of further attempts has so many inputs at least, where there are as many. */
const LEAST_AGAIN = 4;

/** Exponential backoff: the longest wait before the next attempt, in seconds. */
function longestBackoff(task: RetryOptions, attempt: number): number {
  return growth(attempt - 1, task.backoffBaseSeconds, task.backoffCapSeconds);
}

/**
 * In how many messages a chunk's failed inputs are tried again: as many as there are whole seconds
 * to wait for, ten at most, since each costs a send, a receive and a delete. None of them has fewer
 * inputs than the task runs at once.
 */
function waves(task: RetryOptions, failed: number, longestSeconds: number): number {
  const least = Math.max(LEAST_AGAIN, task.concurrency);
  return Math.max(1, Math.min(PARTS, Math.floor(longestSeconds) + 1, Math.floor(failed / least)));
}

/** The task messages that carry these items of a chunk, at most so many in each. */
export function messagesOf(
  chunk: Chunk,
  items: readonly ChunkItem[],
  maxItems: number,
  delaySeconds?: number,
): Outgoing[] {
  return cut(items, Math.max(1, maxItems)).map((part) => ({
    body: chunkBody(chunk, part),
    groupId: chunk.runId,
    ...(delaySeconds ? { delaySeconds } : {}),
  }));
}

/** Sends items of a chunk back to the task queue, in so many parts. */
export async function sendBack(
  { sqs, taskQueueUrl }: TaskQueue,
  chunk: Chunk,
  items: readonly ChunkItem[],
  parts: number,
  delaySeconds?: number,
): Promise<void> {
  const messages = messagesOf(chunk, items, Math.ceil(items.length / parts), delaySeconds);
  await sendAll(sqs, taskQueueUrl, messages);
}

/**
 * The task messages of a chunk's further attempts at items that failed, with the task's backoff and
 * full jitter, in the whole seconds that SQS delays by. Chunks fail together, as when a service that
 * all of them ask is away: so the items of each are spread over all of the wait, one part in each
 * part of it, and don't come back as one wave.
 */
export function furtherAttempts(
  task: RetryOptions,
  chunk: Chunk,
  failed: readonly ChunkItem[],
): Outgoing[] {
  const next = { ...chunk, attempt: chunk.attempt + 1, stalled: undefined };
  const longest = longestBackoff(task, chunk.attempt);
  const parts = waves(task, failed.length, longest);
  return Array.from({ length: parts }, (_, part) => {
    const items = failed.slice(
      Math.floor((part * failed.length) / parts),
      Math.floor(((part + 1) * failed.length) / parts),
    );
    const delaySeconds = Math.round((longest * (part + Math.random())) / parts);
    return messagesOf(next, items, items.length, delaySeconds);
  }).flat();
}

/** A chunk that is sent on with none of its items finished, saying so. */
export function stalled(
  { sqs }: TaskQueue,
  chunk: Chunk,
  cause: Stall['cause'],
): Chunk & { stalled: Stall } {
  const now = serviceNow(sqs);
  const before = chunk.stalled?.cause === cause ? chunk.stalled : undefined;
  // A look for the run's queue that was long ago says nothing of now.
  const { since, hops } = before && !isOldLook(before, now) ? before : { since: now, hops: 0 };
  // The clock of the worker before may be a second ahead of this one's.
  return { ...chunk, stalled: { cause, since, last: Math.max(since, now), hops: hops + 1 } };
}
