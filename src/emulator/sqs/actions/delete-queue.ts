import type { Call, Output } from '../call.ts';
import { queueOf } from './queue-of.ts';

export function deleteQueue(call: Call): Output {
  const queue = queueOf(call);
  call.accounts.around(queue).delete(queue, call.now);
  call.polls.endDeleted(queue);
  return undefined;
}
