import {
  type BatchResultErrorEntry,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import { retry } from '../../retry.ts';
import { MAX_MESSAGE_BYTES } from '../messages/chunk.ts';

/** A message to send. */
export interface Outgoing {
  body: string;
  /** The run, for SQS's fair queues. */
  groupId?: string | undefined;
  delaySeconds?: number | undefined;
  /** For a FIFO queue: SQS drops a second message with the same id. */
  deduplicationId?: string | undefined;
}

/** SQS's limit for a batch; in bytes it holds as much as one message. */
const BATCH_ENTRIES = 10;

/** Batches sent in parallel: enough to hide the network's latency, with little in memory. */
const PARALLEL = 4;

/** Tries for an entry that failed in an accepted batch; the SDK retries whole calls. */
const ENTRY_TRIES = 8;

/** Sends all messages, in as few calls as SQS's limits allow. Resolves when all are accepted. */
export async function sendAll(
  sqs: SQSClient,
  queueUrl: string,
  messages: readonly Outgoing[],
): Promise<void> {
  const batches = batchesOf(messages);
  let next = 0;
  const sender = async () => {
    for (let batch = batches[next++]; batch; batch = batches[next++]) {
      await sendBatch(sqs, queueUrl, batch);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, batches.length) }, sender));
}

function batchesOf(messages: readonly Outgoing[]): Outgoing[][] {
  const batches: Outgoing[][] = [];
  let batch: Outgoing[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(message.body);
    if (batch.length === BATCH_ENTRIES || (batch.length > 0 && bytes + size > MAX_MESSAGE_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(message);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** Sends a batch. A successful call can have failed entries, which are sent again. */
async function sendBatch(sqs: SQSClient, queueUrl: string, batch: Outgoing[]): Promise<void> {
  let left = batch;
  const sendLeft = async () => {
    const { Failed = [] } = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: left.map(({ body, groupId, delaySeconds, deduplicationId }, id) => ({
          Id: String(id),
          MessageBody: body,
          MessageGroupId: groupId,
          DelaySeconds: delaySeconds,
          MessageDeduplicationId: deduplicationId,
        })),
      }),
    );
    if (Failed.length === 0) return;
    const refused = Failed.find((entry) => entry.SenderFault);
    if (refused) {
      throw new FanfoldError('RunFailed', `SQS refused a message to ${queueUrl}: ${why(refused)}.`);
    }
    const failed = new Set(Failed.map((entry) => entry.Id));
    left = left.filter((_, id) => failed.has(String(id)));
    throw new SqsFault(`SQS could not store a message in ${queueUrl}: ${why(Failed[0])}.`);
  };
  await retry(sendLeft, {
    while: (error, failures) => error instanceof SqsFault && failures < ENTRY_TRIES,
  });
}

/** A fault of SQS itself, which may pass: callers may retry later. */
class SqsFault extends Error {
  override readonly name = 'SqsFault';
  /** As in the SDK's errors of the service. */
  readonly $fault = 'server';
  readonly $metadata = { httpStatusCode: 500 };
}

function why(entry?: BatchResultErrorEntry): string {
  return `${entry?.Code}: ${entry?.Message ?? 'no reason given'}`;
}
