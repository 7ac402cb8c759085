import type { Call, Output } from '../call.ts';
import { checkSize, readDraft, sent } from './draft.ts';
import { queueOf } from './queue-of.ts';

export function sendMessage(call: Call): Output {
  const queue = queueOf(call);
  const { draft, bytes } = readDraft(call.input, call.queues);
  checkSize(bytes, queue);
  queue.send(draft, call.now);
  return sent(draft);
}
