import type { Call, Output } from '../call.ts';
import { page } from './list-queues.ts';
import { queueOf } from './queue-of.ts';

export function listDeadLetterSourceQueues(call: Call): Output {
  const queue = queueOf(call);
  const sources = call.accounts.around(queue).sourcesOf(queue);
  const { queues: found, next } = page(call.input, sources, queue.arn);
  // In lower case, and present even when empty, unlike in ListQueues. [api]
  return { queueUrls: found.map(call.urlOf), ...next };
}
