import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../errors.ts';
import { stackIdentity, workFor } from '../nested.ts';
import { laneQueueUrl } from '../pipeline/queue-urls.ts';
import { requestsFor } from '../pipeline/run/count-requests.ts';
import { Claim } from '../pipeline/working/claim.ts';
import { Setups } from '../pipeline/working/setups.ts';
import { watching } from '../pipeline/working/watching.ts';
import { returnsAtOnce, type Worker } from '../pipeline/working/worker.ts';
import { Environment, type LambdaContext } from './environment.ts';
import { openWorker, type WorkerHandlerOptions } from './open-worker.ts';
import { endInvocation, lazyTasks, type Tasks } from './tasks.ts';
import { logFailure, tearDown, WORN_OUT } from './telemetry.ts';

/** The part of Lambda's SQS event that the handlers use. */
export interface SqsEvent {
  Records: {
    messageId: string;
    receiptHandle: string;
    body: string;
    attributes: {
      ApproximateReceiveCount: string;
      ApproximateFirstReceiveTimestamp?: string;
      MessageGroupId?: string;
    };
    eventSourceARN?: string;
  }[];
}

/** Lambda's partial batch response: the messages that Lambda must not delete. */
export interface SqsBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

/** A record of an event, with this invocation's claim on its message. */
interface Held {
  record: SqsEvent['Records'][number];
  claim: Claim;
  /** Whether SQS has accepted all of its results: Lambda deletes the message. */
  done: boolean;
  /** Whether to release it at once. */
  atOnce: boolean;
}

/**
 * The worker function's handler, for an SQS event source with partial batch responses.
 *
 * An invocation claims its messages first. A message that is not done, for whatever reason, becomes
 * visible again within half a minute. Otherwise, Lambda would leave it hidden for the queue's
 * visibility timeout after an error.
 *
 * ```ts
 * export const handler = workerHandler(() => import('./tasks/index.ts'));
 * ```
 *
 * @param tasks the tasks module, or a function that imports it: called after the first claim
 */
export function workerHandler(
  tasks: Tasks,
  options: WorkerHandlerOptions & {
    /** Aborting it ends the running items, which are sent back. Lambda does not need it. */
    signal?: AbortSignal;
  } = {},
): (event: unknown, context: LambdaContext) => Promise<SqsBatchResponse> {
  const place = new Environment(options);
  const tasksOf = lazyTasks(tasks);
  const { setups = new Setups() } = options;
  /** Workers of earlier invocations in this process with stuck functions. */
  const worn = new Set<Worker>();
  return async (event, context) => {
    const records = recordsOf(event);
    const { sqs, meter } = place;
    const taskQueueUrl = await place.taskQueueUrl();
    // All records of an event are from one queue.
    const isLane = records[0]?.eventSourceARN?.endsWith('.fifo') ?? false;
    // The event source receives the messages, and deletes them, at the function's cost.
    meter?.begin({ [isLane ? 'fifo' : 'fair']: requestsOf(records) + 1 });
    const queueUrl = isLane ? laneQueueUrl(taskQueueUrl) : taskQueueUrl;
    const hand = records.map((record): Held => {
      const { receiptHandle } = record;
      const claim = new Claim({ sqs, queueUrl, receiptHandle });
      return { record, claim, done: false, atOnce: false };
    });
    try {
      await work(hand, isLane, context);
    } catch (error) {
      await release(hand);
      meter?.end();
      endInvocation(options, error);
      throw error;
    }
    await release(hand);
    meter?.end();
    const kept = hand.filter(({ done }) => !done);
    if (isWornOut(worn) && kept.length === 0) await replace(records, queueUrl);
    return { batchItemFailures: kept.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };

  /** Claims the messages, loads the tasks, and works on one chunk after the other. */
  async function work(
    hand: readonly Held[],
    isLane: boolean,
    context: LambdaContext,
  ): Promise<void> {
    const claimed = await Promise.all(hand.map(({ claim }) => claim.hold(0)));
    const held = hand.filter((_, at) => claimed[at]);
    if (held.length === 0) return;
    const worker = await openWorker(place, await tasksOf(), setups, options, context);
    const interrupt = () => worker.interrupt(options.signal?.reason);
    options.signal?.addEventListener('abort', interrupt);
    // It may have been aborted while the messages were claimed.
    if (options.signal?.aborted) interrupt();
    const run = async () => {
      for (const one of held) one.done = await isDone(worker, one, isLane, context);
    };
    // In a process of Fanfold's own, its connection decides where tasks run.
    const { sqs } = place;
    await (options.onServer
      ? run()
      : workFor(await stackIdentity(sqs, await place.taskQueueUrl()), run));
    options.signal?.removeEventListener('abort', interrupt);
    watching(() => options.metrics?.flush());
    if (worker.stuck > 0) worn.add(worker);
  }

  async function isDone(
    worker: Worker,
    held: Held,
    isLane: boolean,
    context: LambdaContext,
  ): Promise<boolean> {
    const { messageId: id, receiptHandle, body, attributes } = held.record;
    const receiveCount = Number(attributes.ApproximateReceiveCount);
    const remainingMs = () => context.getRemainingTimeInMillis();
    const firstReceivedAt = Number(attributes.ApproximateFirstReceiveTimestamp) || undefined;
    const group = isLane ? attributes.MessageGroupId : undefined;
    const message = { id, body, receiptHandle, receiveCount, group, firstReceivedAt };
    try {
      return (await worker.handle(message, { claim: held.claim, remainingMs })) === 'done';
    } catch (error) {
      logFailure(options, 'A chunk was not finished: SQS redelivers it', error);
      held.atOnce = returnsAtOnce(error, message);
      return false;
    }
  }

  /**
   * Ends the process, which Lambda then replaces. Lambda treats that as a failure of the whole
   * batch, so the messages, which are done, are deleted first.
   */
  async function replace(records: SqsEvent['Records'], QueueUrl: string): Promise<void> {
    if (!options.exit) return;
    const Entries = records.map(({ receiptHandle: ReceiptHandle }, id) => ({
      Id: String(id),
      ReceiptHandle,
    }));
    try {
      const deleted = await place.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      if (deleted.Failed?.length) return;
    } catch (error) {
      logFailure(options, 'A message was not deleted', error);
      return;
    }
    options.log?.('error', WORN_OUT, {});
    await tearDown(setups, options);
    options.exit();
  }
}

/** Number of requests that SQS bills for the receive of an invocation's messages. */
function requestsOf(records: SqsEvent['Records']): number {
  return requestsFor(records.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0));
}

/** Ends an invocation's claims. Messages that are not done go to their next receiver. */
async function release(hand: readonly Held[]): Promise<void> {
  const ended = hand.map(({ claim, done, atOnce }) =>
    done ? claim.end() : claim.release({ atOnce }),
  );
  await Promise.all(ended);
}

/**
 * Number of functions running past their timeout that wears a process out. Fewer mostly wait for an
 * event that never comes, and cost little, whereas Lambda slows down an event source whose function
 * ends its process.
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
    'The worker function expects an SQS event like { "Records": [...] }. To start a run, invoke the seed function.',
  );
}

function isRecord(record: unknown): record is SqsEvent['Records'][number] {
  const { messageId, receiptHandle, body, attributes } = Object(record);
  const texts = [messageId, receiptHandle, body];
  if (!texts.every((text) => typeof text === 'string')) return false;
  return Number(Object(attributes).ApproximateReceiveCount) >= 1;
}
