import type { Call, Output } from '../call.ts';
import { page } from './list-queues.ts';
import { queueOf } from './queue-of.ts';

export function listDeadLetterSourceQueues(call: Call): Output {
  const queue = queueOf(call);
  const { queues: found, next } = page(call.input, call.queues.sourcesOf(queue), queue.arn);
  // In lower case, and there even when empty: unlike ListQueues'. [api]
  return { queueUrls: found.map(call.urlOf), ...next };
}
