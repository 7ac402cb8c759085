import type { Call, Output } from '../call.ts';
import { queueOf } from './queue-of.ts';

export function setQueueAttributes(call: Call): Output {
  const queue = queueOf(call);
  call.queues.setAttributes(queue, call.input.requiredMap('Attributes'), call.now);
  // A shorter retention may have emptied the queue, or a longer one filled it: waits look again.
  call.queues.onChange(queue);
  return undefined;
}
