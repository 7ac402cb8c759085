import type { Call, Output } from '../call.ts';
import type { Queues } from '../engine/queues.ts';
import { SqsError } from '../errors.ts';
import type { Input } from '../input.ts';
import { MAX_BATCH_BYTES } from '../limits.ts';
import { batchEntries, eachEntry } from './batch.ts';
import { checkSize, readDraft, type Sized, sent } from './draft.ts';
import { queueOf } from './queue-of.ts';

export function sendMessageBatch(call: Call): Output {
  const queue = queueOf(call);
  const entries = batchEntries(call.input, 'SendMessageBatch');
  // All are read before any is sent: together they may be too long.
  const drafts = new Map<Input, Sized | SqsError>();
  let total = 0;
  for (const [, entry] of entries) {
    const draft = tryRead(entry, call.queues);
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
    queue.send(read.draft, call.now);
    return sent(read.draft);
  });
}

function tryRead(entry: Input, queues: Queues): Sized | SqsError {
  try {
    return readDraft(entry, queues);
  } catch (error) {
    if (error instanceof SqsError) return error;
    throw error;
  }
}
