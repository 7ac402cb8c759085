import { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError, InputError } from './errors.ts';
import { type Names, namesOf, newRunId } from './pipeline/names.ts';
import { findQueue, RunQueues } from './pipeline/queues.ts';
import { type SeedRefusal, type SeedResponse, seed } from './pipeline/seeding/seed.ts';
import { readSeedRequest } from './pipeline/seeding/seed-request.ts';
import { Claim } from './pipeline/working/claim.ts';
import { Worker } from './pipeline/working/work.ts';
import { TaskRegistry } from './task.ts';

/** The part of Lambda's context that the handlers use. */
export interface LambdaContext {
  awsRequestId: string;
  functionName?: string;
  logStreamName?: string;
  getRemainingTimeInMillis(): number;
}

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

export interface HandlerOptions {
  /** @default a client from the environment, as in Lambda */
  sqs?: SQSClient;
  /** The deployment's name. @default the environment's FANFOLD_NAME */
  name?: string;
}

/** How long a worker function keeps one chunk, in seconds. */
const LAMBDA_SLICE_SECONDS = 60;

/**
 * The seed function's handler: checks a `SeedRequest`, cuts its inputs into chunks and queues them.
 * A request that it refuses is answered with `{ error: { code, message } }`, not thrown: Lambda
 * would try it again.
 *
 * ```ts
 * import * as tasks from './tasks/index.ts';
 * export const handler = seedHandler(tasks);
 * ```
 */
export function seedHandler(
  tasks: object,
  options: HandlerOptions = {},
): (event: unknown, context: LambdaContext) => Promise<SeedResponse | SeedRefusal> {
  const registry = registryOf(tasks);
  const found = lazyPlace(options);
  return async (event, context) => {
    try {
      const { sqs, names, taskQueueUrl } = await found();
      const runId = newRunId(Date.now(), context.awsRequestId.replace(/-/g, '').slice(0, 16));
      const seeding = { sqs, names, tasks: registry, taskQueueUrl, runId };
      return await seed(readSeedRequest(event), seeding);
    } catch (error) {
      if (!(error instanceof FanfoldError)) throw error;
      const { code, message } = error;
      const place = error instanceof InputError ? { index: error.index, reason: error.reason } : {};
      return { error: { code, message, ...place } };
    }
  };
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
  options: HandlerOptions & {
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
        console.error(error);
        batchItemFailures.push({ itemIdentifier: messageId });
      } finally {
        claim.end();
      }
    }
    options.signal?.removeEventListener('abort', interrupt);
    return { batchItemFailures };
  };
}

function registryOf(tasks: object): TaskRegistry {
  return tasks instanceof TaskRegistry ? tasks : TaskRegistry.fromModule(tasks);
}

/** Lambda's log stream names one execution environment: its last part is short and unique enough. */
function workerName({ logStreamName, awsRequestId }: LambdaContext): string {
  return (logStreamName?.split(/[\]/]/).at(-1) || awsRequestId).slice(0, 100);
}

function recordsOf(event: unknown): SqsEvent['Records'] {
  const records = (event as SqsEvent | null)?.Records;
  if (Array.isArray(records)) return records;
  throw new FanfoldError(
    'BadMessage',
    'The worker function takes SQS events: { "Records": [...] } was expected. To start a run, invoke the seed function.',
  );
}

interface Place {
  sqs: SQSClient;
  names: Names;
  taskQueueUrl: string;
  /** What one invocation finds out about a run, the next one need not. */
  runs: RunQueues;
}

/** Where the handler is: found at the first call, since Lambda's init must not fail for a network. */
function lazyPlace({ sqs, name }: HandlerOptions): () => Promise<Place> {
  let place: Promise<Place> | undefined;
  const find = async (): Promise<Place> => {
    const names = namesOf(name ?? process.env.FANFOLD_NAME ?? '');
    const client = sqs ?? new SQSClient({});
    const taskQueueUrl = await queueUrl(client, names, names.tasks);
    return { sqs: client, names, taskQueueUrl, runs: new RunQueues(client) };
  };
  return () => {
    place ??= find().catch((error: unknown) => {
      place = undefined;
      throw error;
    });
    return place;
  };
}

const found = new WeakMap<SQSClient, Map<string, string>>();

async function queueUrl(sqs: SQSClient, names: Names, queue: string): Promise<string> {
  const known = found.get(sqs) ?? new Map<string, string>();
  found.set(sqs, known);
  const url = known.get(queue) ?? (await findQueue(sqs, queue));
  if (url === undefined) {
    throw new FanfoldError(
      'RunFailed',
      `The deployment "${names.name}" has no queue ${queue}: check FANFOLD_NAME and that it is deployed.`,
    );
  }
  known.set(queue, url);
  return url;
}
