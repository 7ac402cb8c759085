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
import { tellFailure, type WatchOptions, watched } from './watch.ts';

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
    return { batchItemFailures };
  };
}

function recordsOf(event: unknown): SqsEvent['Records'] {
  const records = (event as SqsEvent | null)?.Records;
  if (Array.isArray(records)) return records;
  throw new FanfoldError(
    'BadMessage',
    'The worker function takes SQS events: { "Records": [...] } was expected. To start a run, invoke the seed function.',
  );
}
