import type { Call, Output } from '../call.ts';
import { queueOf } from './queue-of.ts';

export function setQueueAttributes(call: Call): Output {
  const queue = queueOf(call);
  const queues = call.accounts.around(queue);
  queues.setAttributes(queue, call.input.requiredMap('Attributes'), call.now);
  // A shorter retention may have emptied the queue, a longer one filled it: the waits check again.
  queues.onChange(queue);
  return undefined;
}
