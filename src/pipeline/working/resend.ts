import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { growth } from '../../retry.ts';
import type { AnyTask } from '../../task.ts';
import { type Chunk, type ChunkItem, chunkBody, cut, type Stall } from '../messages/chunk.ts';
import { groupOf } from '../messages/priority.ts';
import { isOldLookup } from '../run/run-queues.ts';
import { type Outgoing, sendAll } from '../run/send.ts';

/** The task queue that chunks are sent back to. */
export interface TaskQueue {
  sqs: SQSClient;
  taskQueueUrl: string;
}

/** A task's options for further attempts. */
export type RetryOptions = Pick<
  AnyTask,
  'maxAttempts' | 'backoffBaseSeconds' | 'backoffCapSeconds' | 'concurrency'
>;

/** Most parts that a chunk is cut into, when it was redelivered or its slice is over. */
export const PARTS = 10;

/** Smallest number of inputs in a message of further attempts, if there are as many. */
const LEAST_AGAIN = 4;

/** Exponential backoff: the longest wait before the next attempt, in seconds. */
function longestBackoff(task: RetryOptions, attempt: number): number {
  return growth(attempt - 1, task.backoffBaseSeconds, task.backoffCapSeconds);
}

/**
 * Number of messages in which a chunk's failed inputs are tried again: one for each whole second of
 * the wait, ten at most, since each costs a send, a receive and a delete. None of them has fewer
 * inputs than the task runs at once.
 */
function waves(task: RetryOptions, failed: number, longestSeconds: number): number {
  const least = Math.max(LEAST_AGAIN, task.concurrency);
  return Math.max(1, Math.min(PARTS, Math.floor(longestSeconds) + 1, Math.floor(failed / least)));
}

/**
 * The task messages with these items of a chunk, at most `maxItems` in each. Some items may have
 * been started, unless the chunk's `begun` is false.
 */
export function messagesOf(
  chunk: Chunk,
  items: readonly ChunkItem[],
  maxItems: number,
  delaySeconds?: number,
): Outgoing[] {
  return cut(items, Math.max(1, maxItems)).map((part) => ({
    body: chunkBody({ ...chunk, begun: chunk.begun ?? true, opens: undefined }, part),
    groupId: groupOf(chunk),
    delaySeconds: delaySeconds || undefined,
  }));
}

/** Sends items of a chunk back to the task queue, cut into this many parts. */
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
 * The task messages for the next attempt at a chunk's failed items, with the task's backoff and
 * full jitter, in the whole seconds of SQS's delays. Chunks fail together, for example when a
 * service that all of them call is down. So the items of each are spread over the whole wait, one
 * part in each section of it, and don't return as one wave.
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

/** SQS's longest delay. */
const LONGEST_DELAY_SECONDS = 900;

/**
 * The task messages with items of a chunk that wait for a time, which may be over SQS's longest.
 *
 * @param now by SQS's clock
 */
export function delayed(
  chunk: Chunk,
  items: readonly ChunkItem[],
  seconds: number,
  now: number,
): Outgoing[] {
  const until = Math.min(chunk.expiresAt, now + seconds * 1000);
  const notBefore = seconds > LONGEST_DELAY_SECONDS ? until : undefined;
  const waiting = { ...chunk, stalled: undefined, notBefore };
  return messagesOf(waiting, items, items.length, Math.min(seconds, LONGEST_DELAY_SECONDS));
}

/** Marks a chunk that is sent on with none of its items finished. */
export function stalled(
  { sqs }: TaskQueue,
  chunk: Chunk,
  cause: Stall['cause'],
): Chunk & { stalled: Stall } {
  const now = serviceNow(sqs);
  const before = chunk.stalled?.cause === cause ? chunk.stalled : undefined;
  // An old lookup of the run's queue says nothing about the present.
  const { since, hops } = before && !isOldLookup(before, now) ? before : { since: now, hops: 0 };
  // The clock of the previous worker may be a second ahead of this one's.
  return { ...chunk, stalled: { cause, since, last: Math.max(since, now), hops: hops + 1 } };
}
