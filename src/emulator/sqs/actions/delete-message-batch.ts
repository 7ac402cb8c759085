import type { Call, Output } from '../call.ts';
import { batchEntries, eachEntry } from './batch.ts';
import { queueOf } from './queue-of.ts';

export function deleteMessageBatch(call: Call): Output {
  const queue = queueOf(call);
  return eachEntry(batchEntries(call.input, 'DeleteMessageBatch'), (entry) => {
    queue.delete(entry.requiredText('ReceiptHandle'), call.now);
    return {};
  });
}
