import type { Call, Output } from '../call.ts';
import { queueOf } from './queue-of.ts';

export function deleteMessage(call: Call): Output {
  queueOf(call).delete(call.input.requiredText('ReceiptHandle'), call.now);
  return undefined;
}
