import type { Call, Output } from '../call.ts';
import { batchEntries, eachEntry } from './batch.ts';
import { changeVisibility } from './change-message-visibility.ts';
import { queueOf } from './queue-of.ts';

export function changeMessageVisibilityBatch(call: Call): Output {
  const queue = queueOf(call);
  return eachEntry(batchEntries(call.input, 'ChangeMessageVisibilityBatch'), (entry) => {
    changeVisibility(queue, entry, call.now);
    return {};
  });
}
