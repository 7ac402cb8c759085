import type { Call, Output } from '../call.ts';
import { checkSize, readDraft, sent } from './draft.ts';
import { queueOf } from './queue-of.ts';

export function sendMessage(call: Call): Output {
  const queue = queueOf(call);
  const { draft, bytes } = readDraft(call.input, queue, call);
  checkSize(bytes, queue, 'are invalid');
  return sent(draft, queue.send(draft, call.now));
}
