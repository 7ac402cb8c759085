import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { FanfoldError } from '../../errors.ts';
import { isMissingQueue, isNotInHand } from '../call-errors.ts';
import type { Chunk, ChunkItem } from '../messages/chunk.ts';
import { readChunk } from '../messages/read-chunk.ts';
import { type Failure, failedLine } from '../messages/result.ts';
import { ResultDraft } from '../messages/result-message.ts';
import { type Outgoing, sendAll } from '../run/send.ts';
import type { LastWords } from './held.ts';
import type { Unsent } from './report.ts';
import { furtherAttempts, messagesOf, PARTS, type RetryOptions } from './resend.ts';
import { SETUP_SECONDS } from './setups.ts';

export interface RecoverOptions {
  sqs: SQSClient;
  taskQueueUrl: string;
  /** Whether SQS is a Fanfold server and not AWS. @default false */
  onServer?: boolean;
  worker: string;
  /** The queue that the message was received from: the task queue, or that of lanes. */
  queueUrl: string;
  receiptHandle: string;
  body: string;
  /** Undefined if the process could report nothing: it was killed, or ran out of memory. */
  lastWords: LastWords | undefined;
  /** Whether it was setting up the chunk's task, which counts as an attempt for each item. */
  inSetup: boolean;
  /** Reason for its end, such as `exit code 1`. */
  cause: string;
  /** The user's frames of the error that ended it. */
  stack?: string | undefined;
  /** Whether it was killed for exceeding a time limit. */
  overran: boolean;
  /** Returns a task's own options; undefined if there is no such task. */
  retryOf: (task: string) => RetryOptions | undefined;
}

/** Sends the results that a dead worker could not send. */
export async function deliver(sqs: SQSClient, unsent: readonly Unsent[]): Promise<void> {
  for (const { resultQueueUrl, body } of unsent) {
    try {
      await sendAll(sqs, resultQueueUrl, [{ body }]);
    } catch (error) {
      // The run is over: its results are no longer needed.
      if (!isMissingQueue(error)) throw error;
    }
  }
}

/**
 * Does a dead worker's remaining duties for a chunk that it held. An item that ran alone when the
 * process died has had its attempt. If several ran, or it is not known which, the chunk is cut
 * until an item is alone. Failed items are tried again, and items that had not started are sent
 * back as they were.
 */
export async function recover(options: RecoverOptions): Promise<void> {
  const { sqs, queueUrl, receiptHandle } = options;
  try {
    await sendBackOwed(options);
  } catch (error) {
    // Another worker must get it now, and not when the dead one's claim ends.
    await release(sqs, queueUrl, receiptHandle).catch(() => {});
    // The next worker moves an unreadable message to the dead letters.
    if (!(error instanceof FanfoldError && error.code === 'BadMessage')) throw error;
  }
}

async function sendBackOwed(options: RecoverOptions): Promise<void> {
  const { sqs, taskQueueUrl, onServer, queueUrl, receiptHandle, body, lastWords } = options;
  const chunk = readChunk(body, { taskQueueUrl, onServer, now: serviceNow(sqs) });
  const settled = new Set(lastWords?.settled);
  const left = chunk.items.filter(({ index }) => !settled.has(index));
  const running = new Set(lastWords?.suspects);
  const retry = options.retryOf(chunk.task);
  const failed = new Set(retry && lastWords?.again);
  const suspects = lastWords ? left.filter(({ index }) => running.has(index)) : left;
  const others = lastWords
    ? left.filter(({ index }) => !running.has(index) && !failed.has(index))
    : [];
  const again: Outgoing[] = messagesOf(chunk, others, others.length);
  if (retry) {
    const items = left.filter(({ index }) => failed.has(index));
    again.push(...furtherAttempts(retry, chunk, items));
  }
  if (suspects.length === 1 || options.inSetup) {
    again.push(...(await tryAgain(options, chunk, suspects)));
  } else {
    again.push(...messagesOf(chunk, suspects, Math.ceil(suspects.length / PARTS)));
  }
  await sendAll(sqs, taskQueueUrl, again);
  await remove(sqs, queueUrl, receiptHandle);
}

/** Deletes a message that is done. */
export async function remove(
  sqs: SQSClient,
  QueueUrl: string,
  ReceiptHandle: string,
): Promise<void> {
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
}

/**
 * Gives back a message that a dead worker held: its claim ends now, instead of in a minute or two.
 * The worker that receives it next cuts it.
 */
export async function release(
  sqs: SQSClient,
  QueueUrl: string,
  ReceiptHandle: string,
): Promise<void> {
  try {
    await sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
    );
  } catch (error) {
    // It was deleted already, and the worker died before it could record that.
    if (!isNotInHand(error)) throw error;
  }
}

/** Another attempt for items that their process died on; or, after the last, their failure. */
async function tryAgain(
  options: RecoverOptions,
  chunk: Chunk,
  items: readonly ChunkItem[],
): Promise<Outgoing[]> {
  const { runId, task, attempt, resultQueueUrl } = chunk;
  const retry = options.retryOf(task);
  if (retry !== undefined && attempt < retry.maxAttempts) {
    return furtherAttempts(retry, chunk, items);
  }
  const draft = new ResultDraft();
  for (const { index } of items) {
    draft.add(index, failedLine(index, failureOf(options, task, attempt), 0), false);
  }
  await deliver(options.sqs, [{ resultQueueUrl, body: draft.body(runId, options.worker) }]);
  return [];
}

function failureOf(
  { cause, stack, overran, inSetup }: RecoverOptions,
  task: string,
  attempts: number,
): Failure {
  if (!overran) {
    const what = inSetup ? 'set up the task for this input' : 'ran this input';
    const message = `The worker process died while it ${what}: ${cause}.`;
    return { code: 'WorkerDied', name: 'WorkerDied', message, attempts, stack };
  }
  if (inSetup) {
    const message = `The setup of the task "${task}" failed: It took longer than ${SETUP_SECONDS} s and blocked the thread, so its worker process was killed: ${cause}.`;
    return { code: 'TaskFailed', name: 'TimeoutError', message, attempts };
  }
  const message = `The attempt took longer than the task's timeoutSeconds and blocked the thread, so its worker process was killed: ${cause}.`;
  return { code: 'TimedOut', name: 'TimeoutError', message, attempts };
}
