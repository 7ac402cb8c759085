import type { Call, Output } from '../call.ts';
import type { Queue } from '../engine/queue.ts';
import type { Queues } from '../engine/queues.ts';
import { invalidParameter, SqsError } from '../errors.ts';
import type { Input } from '../input.ts';
import { MAX_BATCH_BYTES } from '../limits.ts';
import { batchEntries, eachEntry } from './batch.ts';
import { checkSize, readDraft, type Sized, sent } from './draft.ts';
import { queueOf } from './queue-of.ts';

export function sendMessageBatch(call: Call): Output {
  const queue = queueOf(call);
  const entries = batchEntries(call.input, 'SendMessageBatch');
  if (queue.isFifo) checkGroups(entries);
  // All are read before any is sent: together they may be too long.
  const drafts = new Map<Input, Sized | SqsError>();
  let total = 0;
  for (const [, entry] of entries) {
    const draft = tryRead(entry, queue, call.queues);
    drafts.set(entry, draft);
    total += draft instanceof SqsError ? 0 : draft.bytes;
  }
  if (total > MAX_BATCH_BYTES) {
    throw new SqsError(
      'BatchRequestTooLong',
      `Batch requests cannot be longer than ${MAX_BATCH_BYTES} bytes. You have sent ${total} bytes.`,
    );
  }
  return eachEntry(entries, (entry) => {
    const read = drafts.get(entry);
    if (read === undefined || read instanceof SqsError) throw read;
    checkSize(read.bytes, queue);
    return sent(read.draft, queue.send(read.draft, call.now));
  });
}

/** On a FIFO queue an entry without a group refuses the whole batch. [facts: L] */
function checkGroups(entries: readonly [id: string, entry: Input][]): void {
  if (entries.every(([, entry]) => entry.has('MessageGroupId'))) return;
  throw invalidParameter('The request must contain the parameter MessageGroupId.');
}

function tryRead(entry: Input, queue: Queue, queues: Queues): Sized | SqsError {
  try {
    return readDraft(entry, queue, queues);
  } catch (error) {
    if (error instanceof SqsError) return error;
    throw error;
  }
}
