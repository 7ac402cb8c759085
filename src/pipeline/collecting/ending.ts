import { count, FanfoldError } from '../../errors.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Bitmap } from '../run/bitmap.ts';
import type { Deployment } from '../run/deployment.ts';
import { endRun, outcomeOf, type RunFacts } from '../run/ended.ts';
import type { RunLedger } from '../run/ledger.ts';
import { findQueue } from '../run/queues.ts';
import type { InputSource } from '../seeding/input-source.ts';
import type { Deduplicator } from './deduplicator.ts';
import type { InOrder } from './order.ts';
import { causeOf, type EndReason, type Last, remainderOf } from './phase.ts';
import { drain } from './result-receiver.ts';
import type { ResultStore } from './result-store.ts';
import { Unfinished } from './unfinished.ts';

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
  about: RunFacts;
  why: EndReason;
  /** Inputs that were sent, but certainly not started. @default none */
  notStarted?: Pick<Bitmap, 'has'> | undefined;
  /** Where results are stored; its owner deletes the run's queue. @default not here */
  store?: ResultStore | undefined;
}

/** Drains a run's queue, deletes it unless results are stored, and enters the outcome of the remaining inputs. */
export async function takeLast(
  deployment: Pick<Deployment, 'sqs' | 'names'>,
  { seeding, ledger, deduplicator, about, why, notStarted, store }: EndingOptions,
): Promise<Last> {
  const { sqs, names } = deployment;
  const { runId } = about;
  const remainder = remainderOf(why);
  // The answer that names the queue may have been lost.
  const made = await seeding.queueUrl.catch(() => undefined);
  const queueUrl = made ?? (await findQueue(sqs, names.run(runId)).catch(() => undefined));
  const batches: ResultBatch[] = [];
  if (queueUrl !== undefined) {
    for await (const delivery of drain(sqs, queueUrl, runId))
      batches.push(...deduplicator.enter(delivery));
  }
  const isShort = remainder === 'lost' && !seeding.isOurs && !ledger.sealed;
  const inputs = ledger.sealed ? ledger.inputs : ledger.sealUnknown(seeding.known);
  const remaining = new Unfinished(
    ledger,
    remainder,
    inputs,
    (index) => index >= seeding.unsent || notStarted?.has(index) === true,
  );
  if (queueUrl !== undefined && !store) {
    await endRun(deployment, queueUrl, outcomeOf(about, ledger, causeOf(why)));
  }
  return { batches, remaining, isShort };
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
