import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../errors.ts';
import { Claim } from '../pipeline/working/claim.ts';
import { Worker } from '../pipeline/working/work.ts';
import {
  LAMBDA_SLICE_SECONDS,
  type HandlerOptions,
  type LambdaContext,
  lazyPlace,
  queueUrl,
  registryOf,
  workerName,
} from './place.ts';
import { tellFailure, type WatchOptions, WORN_OUT, watched } from './watch.ts';

/** The part of Lambda's SQS event that the handlers use. */
export interface SqsEvent {
  Records: {
    messageId: string;
    receiptHandle: string;
    body: string;
    attributes: { ApproximateReceiveCount: string };
  }[];
}

/** Lambda's partial batch response: the messages that are not to be deleted. */
export interface SqsBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

/**
 * The worker function's handler, for an SQS event source with partial batch responses.
 *
 * ```ts
 * import * as tasks from './tasks/index.ts';
 * export const handler = workerHandler(tasks);
 * ```
 */
export function workerHandler(
  tasks: object,
  options: HandlerOptions &
    WatchOptions & {
      /** @default 60 */
      sliceSeconds?: number;
      /** Aborting it ends what runs: its items are sent back. Lambda has no need of it. */
      signal?: AbortSignal;
    } = {},
): (event: unknown, context: LambdaContext) => Promise<SqsBatchResponse> {
  const registry = registryOf(tasks);
  const place = lazyPlace(options);
  /** Of earlier invocations in this process. */
  const worn = new Set<Worker>();
  return async (event, context) => {
    const records = recordsOf(event);
    const { sqs, names, taskQueueUrl, runs } = await place();
    const worker = new Worker({
      sqs,
      tasks: registry,
      taskQueueUrl,
      deadQueueUrl: await queueUrl(sqs, names, names.dead),
      worker: workerName(context),
      runs,
      sliceSeconds: options.sliceSeconds ?? LAMBDA_SLICE_SECONDS,
      ...watched(options),
    });
    const interrupt = () => worker.interrupt(options.signal?.reason);
    options.signal?.addEventListener('abort', interrupt);
    const batchItemFailures: SqsBatchResponse['batchItemFailures'] = [];
    for (const { messageId, receiptHandle, body, attributes } of records) {
      const receiveCount = Number(attributes.ApproximateReceiveCount);
      // Lambda's poller received it, for much longer than a dead worker's chunk should be away.
      const claim = new Claim({ sqs, queueUrl: taskQueueUrl, receiptHandle });
      try {
        const verdict = await worker.handle(
          { id: messageId, body, receiptHandle, receiveCount },
          { claim, remainingMs: () => context.getRemainingTimeInMillis() },
        );
        if (verdict === 'keep') batchItemFailures.push({ itemIdentifier: messageId });
      } catch (error) {
        tellFailure(options, 'A chunk was not finished, and comes again', error);
        batchItemFailures.push({ itemIdentifier: messageId });
      } finally {
        claim.end();
      }
    }
    options.signal?.removeEventListener('abort', interrupt);
    options.metrics?.flush();
    if (worker.stuck > 0) worn.add(worker);
    if (isWornOut(worn)) await replace(records, batchItemFailures);
    return { batchItemFailures };
  };

  /**
   * Ends the process, of which Lambda then makes another. It takes that for a failure of the whole
   * batch, so what is done is deleted beforehand; what is not comes again, as it would have.
   */
  async function replace(
    records: SqsEvent['Records'],
    { length: failures }: SqsBatchResponse['batchItemFailures'],
  ): Promise<void> {
    if (!options.exit || failures > 0) return;
    const { sqs, taskQueueUrl: QueueUrl } = await place();
    const Entries = records.map(({ receiptHandle: ReceiptHandle }, id) => ({
      Id: String(id),
      ReceiptHandle,
    }));
    try {
      const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      if (deleted.Failed?.length) return;
    } catch (error) {
      tellFailure(options, 'A message was not deleted', error);
      return;
    }
    options.log?.('error', WORN_OUT, {});
    options.exit();
  }
}

/**
 * So many functions that go on although their time is over wear a process out. Fewer mostly wait
 * for what never comes, and cost little; but Lambda slows an event source down whose function ends
 * its process.
 */
const MOST_STUCK = 10;

function isWornOut(workers: Set<Worker>): boolean {
  let stuck = 0;
  for (const worker of workers) {
    if (worker.stuck === 0) workers.delete(worker);
    stuck += worker.stuck;
  }
  return stuck >= MOST_STUCK;
}

/** @throws FanfoldError `BadMessage` when it is not what the SQS event source sends */
function recordsOf(event: unknown): SqsEvent['Records'] {
  const { Records: records } = Object(event) as Partial<SqsEvent>;
  if (Array.isArray(records) && records.every(isRecord)) return records;
  throw new FanfoldError(
    'BadMessage',
    'The worker function takes SQS events: { "Records": [...] } was expected. To start a run, invoke the seed function.',
  );
}

function isRecord(record: unknown): record is SqsEvent['Records'][number] {
  const { messageId, receiptHandle, body, attributes } = Object(record);
  const texts = [messageId, receiptHandle, body];
  if (!texts.every((text) => typeof text === 'string')) return false;
  return Number(Object(attributes).ApproximateReceiveCount) >= 1;
}
