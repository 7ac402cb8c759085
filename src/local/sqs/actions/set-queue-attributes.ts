import type { Call, Output } from '../call.ts';
import { missingParameter } from '../errors.ts';
import { queueOf } from './queue-of.ts';

export function setQueueAttributes(call: Call): Output {
  const queue = queueOf(call);
  if (!call.input.has('Attributes')) throw missingParameter('Attributes');
  call.queues.setAttributes(queue, call.input.textMap('Attributes'), call.now);
  // A shorter retention may have emptied the queue, or a longer one filled it: waits look again.
  call.queues.onChange(queue);
  return undefined;
}
