import type { SQSClient } from '@aws-sdk/client-sqs';
import type { ResultBatch } from '../messages/result-message.ts';
import { deleteQueue } from '../queues.ts';
import { drain } from './collect.ts';
import type { Intake } from './intake.ts';
import type { InOrder } from './order.ts';
import type { Remaining } from './remaining.ts';

/** The last results of a run that was ended before its inputs were. */
export interface Last {
  /** What was in its queue. */
  batches: ResultBatch[];
  /** The inputs that had no result. */
  remaining: Remaining;
}

/** Takes what is in a run's queue, and deletes it. */
export async function takeLast(
  sqs: SQSClient,
  queueUrl: string,
  intake: Intake,
): Promise<ResultBatch[]> {
  const batches: ResultBatch[] = [];
  for await (const delivery of drain(sqs, queueUrl)) batches.push(...intake.enter(delivery));
  await deleteQueue(sqs, queueUrl);
  return batches;
}

/** The last results, in the order that the run has. */
export function* lastBatches(
  { batches, remaining }: Last,
  order: InOrder | undefined,
): Generator<ResultBatch, void> {
  if (order) yield* remaining.batches(order.rest(batches));
  else {
    yield* batches;
    yield* remaining.batches();
  }
}
