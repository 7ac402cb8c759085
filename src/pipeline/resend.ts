import type { AnyTask } from '../task.ts';
import { type Chunk, type ChunkItem, chunkBody, cut, messageText } from './chunk.ts';
import type { Outgoing } from './send.ts';

/** What a task says of its further attempts. */
export type RetryOptions = Pick<
  AnyTask,
  'maxAttempts' | 'backoffBaseSeconds' | 'backoffCapSeconds'
>;

/** Exponential backoff with full jitter, in the whole seconds that SQS delays by. */
export function backoffSeconds(task: RetryOptions, attempt: number): number {
  const longest = Math.min(task.backoffCapSeconds, task.backoffBaseSeconds * 2 ** (attempt - 1));
  return Math.round(Math.random() * longest);
}

/** The task messages that carry these items of a chunk, at most so many in each. */
export function messagesOf(
  chunk: Chunk,
  items: Chunk['items'],
  maxItems: number,
  delaySeconds?: number,
): Outgoing[] {
  const texts = items.map(
    ([index, input]): ChunkItem => ({ index, text: messageText(JSON.stringify(input)) }),
  );
  return cut(texts, Math.max(1, maxItems)).map((part) => ({
    body: chunkBody(chunk, part),
    groupId: chunk.runId,
    ...(delaySeconds ? { delaySeconds } : {}),
  }));
}
