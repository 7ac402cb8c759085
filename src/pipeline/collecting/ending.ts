import { count, FanfoldError } from '../../errors.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Deployment } from '../run/deployment.ts';
import type { RunLedger } from '../run/ledger.ts';
import { deleteQueue, findQueue } from '../run/queues.ts';
import type { InputSource } from '../seeding/input-source.ts';
import type { Deduplicator } from './deduplicator.ts';
import type { InOrder } from './order.ts';
import { drain } from './result-receiver.ts';
import { type Remainder, Unfinished } from './unfinished.ts';

/** The last results of a run that ended early. */
export interface Last {
  /** Results that were in its queue. */
  batches: ResultBatch[];
  /** Inputs that had no result. */
  remaining: Unfinished;
  /** Whether the run may have further, unknown inputs, because its seeder never finished. */
  isShort: boolean;
}

/** The error of a run whose inputs were not all seeded. Its consumer gets all results first. */
export function notAllSeeded(runId: string, known: number): FanfoldError {
  return new FanfoldError(
    'RunFailed',
    `Run ${runId} reached its deadline before all of its inputs were seeded: ${count(known, 'input')} ${known === 1 ? 'is' : 'are'} known, and there may be more. See the seed function's log for the reason.`,
  );
}

export interface EndingOptions {
  seeding: InputSource;
  ledger: RunLedger;
  deduplicator: Deduplicator;
  /** Outcome of inputs that have no result. */
  remainder: Remainder;
}

/** Drains and deletes a run's queue, and enters the outcome of the remaining inputs. */
export async function takeLast(
  { sqs, names }: Pick<Deployment, 'sqs' | 'names'>,
  runId: string,
  { seeding, ledger, deduplicator, remainder }: EndingOptions,
): Promise<Last> {
  // The answer that names the queue may have been lost.
  const made = await seeding.queueUrl.catch(() => undefined);
  const queueUrl = made ?? (await findQueue(sqs, names.run(runId)).catch(() => undefined));
  const batches: ResultBatch[] = [];
  if (queueUrl !== undefined) {
    for await (const delivery of drain(sqs, queueUrl, runId))
      batches.push(...deduplicator.enter(delivery));
    await deleteQueue(sqs, queueUrl);
  }
  const isShort = remainder === 'lost' && !seeding.isOurs && !ledger.sealed;
  const end = ledger.sealed ? ledger.inputs : ledger.sealUnknown(seeding.known);
  return { batches, remaining: new Unfinished(ledger, remainder, end, seeding.unsent), isShort };
}

/** Yields the last results in the run's order. */
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
