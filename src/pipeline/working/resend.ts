import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import type { AnyTask } from '../../task.ts';
import { type Chunk, type ChunkItem, chunkBody, cut, type Stall } from '../messages/chunk.ts';
import { isOldLook } from '../queues.ts';
import { type Outgoing, sendAll } from '../send.ts';

/** The task queue, as what sends chunks back to it knows it. */
export interface TaskQueue {
  sqs: SQSClient;
  taskQueueUrl: string;
}

/** What a task says of its further attempts. */
export type RetryOptions = Pick<
  AnyTask,
  'maxAttempts' | 'backoffBaseSeconds' | 'backoffCapSeconds'
>;

/** The most parts that a chunk is cut into: one that came again, or the rest when a slice is over. */
export const PARTS = 10;

/** Exponential backoff with full jitter, in the whole seconds that SQS delays by. */
export function backoffSeconds(task: RetryOptions, attempt: number): number {
  const longest = Math.min(task.backoffCapSeconds, task.backoffBaseSeconds * 2 ** (attempt - 1));
  return Math.round(Math.random() * longest);
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

/** The task messages of a chunk's further attempts at items that failed, after the task's backoff. */
export function furtherAttempts(
  task: RetryOptions,
  chunk: Chunk,
  failed: readonly ChunkItem[],
): Outgoing[] {
  const next = { ...chunk, attempt: chunk.attempt + 1, stalled: undefined };
  return messagesOf(next, failed, failed.length, backoffSeconds(task, chunk.attempt));
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
