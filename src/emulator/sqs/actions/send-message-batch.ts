import type { Call, Output } from '../call.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidParameter, SqsError } from '../errors.ts';
import type { Input } from '../input.ts';
import { MAX_BATCH_BYTES } from '../limits.ts';
import { batchEntries, eachEntry, isOfEntry } from './batch.ts';
import { checkSize, missingDeduplicationId, readDraft, type Sized, sent } from './draft.ts';
import { queueOf } from './queue-of.ts';

export function sendMessageBatch(call: Call): Output {
  const queue = queueOf(call);
  const entries = batchEntries(call.input, 'SendMessageBatch');
  if (queue.isFifo) checkFifoEntries(entries, queue);
  // Reads all before it sends any: together they may be too long.
  const drafts = new Map<Input, Sized | SqsError>();
  let total = 0;
  for (const [, entry] of entries) {
    const draft = tryRead(entry, queue, call);
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
    checkSize(read.bytes, queue, 'cannot be validated');
    return sent(read.draft, queue.send(read.draft, call.now));
  });
}

/**
 * On a FIFO queue, an entry without a group, or without a deduplication id that the queue does not
 * derive, refuses the whole batch. Recorded from AWS.
 */
function checkFifoEntries(entries: readonly [id: string, entry: Input][], queue: Queue): void {
  const all = (name: string) => entries.every(([, entry]) => entry.has(name));
  if (!all('MessageGroupId')) {
    throw invalidParameter('The request must contain the parameter MessageGroupId.');
  }
  if (!queue.settings.deduplicatesByContent && !all('MessageDeduplicationId')) {
    throw missingDeduplicationId();
  }
}

function tryRead(entry: Input, queue: Queue, call: Call): Sized | SqsError {
  try {
    return readDraft(entry, queue, call);
  } catch (error) {
    if (isOfEntry(error)) return error;
    throw error;
  }
}
