import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
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
  /** Whether there may be inputs of which nothing is known: whoever seeded them never came to an end. */
  isShort: boolean;
}

/** What a run ends with that lacks inputs, once its consumer has all that there is. */
export function notAllSeeded(runId: string, known: number): FanfoldError {
  return new FanfoldError(
    'RunFailed',
    `The deadline of run ${runId} came before all of its inputs were seeded: results are of the first ${known}, and there may be more inputs. What kept the seed from going on is in its log.`,
  );
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
