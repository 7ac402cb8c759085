import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { FanfoldError } from '../../errors.ts';
import { isMissingQueue } from '../faults.ts';
import type { Chunk, ChunkItem } from '../messages/chunk.ts';
import { readChunk } from '../messages/read-chunk.ts';
import { type Failure, failedLine } from '../messages/result.ts';
import { ResultDraft } from '../messages/result-message.ts';
import { type Outgoing, sendAll } from '../send.ts';
import { furtherAttempts, messagesOf, PARTS, type RetryOptions } from './resend.ts';

/** What a process could still say of a chunk when it died. */
export interface LastWords {
  /** Indexes of the items that were running. */
  running: number[];
  /** Indexes whose results, or whose further attempts, SQS has accepted. */
  settled: number[];
}

export interface RecoverOptions {
  sqs: SQSClient;
  taskQueueUrl: string;
  /** Whether SQS is a server of ours and not AWS. @default false */
  onServer?: boolean;
  worker: string;
  receiptHandle: string;
  body: string;
  /** Undefined when the process could say nothing: it was killed, or ran out of memory. */
  lastWords: LastWords | undefined;
  /** How it ended, such as `exit code 1`. */
  cause: string;
  /** Whether it was killed because an item took longer than it may. */
  overran: boolean;
  /** A task's own options; undefined when there is no such task. */
  retryOf: (task: string) => RetryOptions | undefined;
}

/**
 * Does for a dead worker what it owed for a chunk in its hand. An item that ran alone when the
 * process died has had its attempt; when several ran, or it is not known which, the chunk is cut
 * until an item is alone. What had not started is handed back as it was.
 */
export async function recover(options: RecoverOptions): Promise<void> {
  const { sqs, taskQueueUrl, receiptHandle } = options;
  try {
    await sendBackOwed(options);
  } catch (error) {
    // Another worker is to have it now, and not when the dead one's claim ends.
    await release(sqs, taskQueueUrl, receiptHandle).catch(() => {});
    // What can't be read it moves to the dead letters.
    if (!(error instanceof FanfoldError && error.code === 'BadMessage')) throw error;
  }
}

async function sendBackOwed(options: RecoverOptions): Promise<void> {
  const { sqs, taskQueueUrl, onServer, receiptHandle, body, lastWords } = options;
  const chunk = readChunk(body, { taskQueueUrl, onServer, now: serviceNow(sqs) });
  const settled = new Set(lastWords?.settled);
  const left = chunk.items.filter(({ index }) => !settled.has(index));
  const running = new Set(lastWords?.running);
  const suspects = lastWords ? left.filter(({ index }) => running.has(index)) : left;
  const others = lastWords ? left.filter(({ index }) => !running.has(index)) : [];
  const [only] = suspects;
  const again: Outgoing[] = messagesOf(chunk, others, others.length);
  if (only !== undefined && suspects.length === 1) {
    again.push(...(await tryAgain(options, chunk, only)));
  } else {
    again.push(...messagesOf(chunk, suspects, Math.ceil(suspects.length / PARTS)));
  }
  await sendAll(sqs, taskQueueUrl, again);
  await sqs.send(
    new DeleteMessageCommand({ QueueUrl: taskQueueUrl, ReceiptHandle: receiptHandle }),
  );
}

/**
 * Gives back a message that a dead worker had in its hand: its claim ends now, as it would have in
 * a minute or two. Who receives it next cuts it.
 */
export async function release(
  sqs: SQSClient,
  QueueUrl: string,
  ReceiptHandle: string,
): Promise<void> {
  await sqs.send(
    new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
  );
}

/** Another attempt at an item that its process died on; or, after the last, its failure. */
async function tryAgain(
  options: RecoverOptions,
  chunk: Chunk,
  item: ChunkItem,
): Promise<Outgoing[]> {
  const { sqs, worker } = options;
  const { runId, attempt, resultQueueUrl } = chunk;
  const retry = options.retryOf(chunk.task);
  if (retry !== undefined && attempt < retry.maxAttempts) {
    return furtherAttempts(retry, chunk, [item]);
  }
  const { index } = item;
  const draft = new ResultDraft();
  draft.add(index, failedLine(index, failureOf(options, attempt), 0), false);
  try {
    await sendAll(sqs, resultQueueUrl, [{ body: draft.body(runId, worker) }]);
  } catch (error) {
    // The run is over: nobody wants to know.
    if (!isMissingQueue(error)) throw error;
  }
  return [];
}

function failureOf({ cause, overran }: RecoverOptions, attempts: number): Failure {
  if (!overran) {
    const message = `The worker process died while it ran this input: ${cause}.`;
    return { code: 'WorkerDied', name: 'WorkerDied', message, attempts };
  }
  const message = `The attempt took longer than the task's timeoutSeconds and never gave the thread back, so that its worker process was killed: ${cause}.`;
  return { code: 'TimedOut', name: 'TimeoutError', message, attempts };
}
