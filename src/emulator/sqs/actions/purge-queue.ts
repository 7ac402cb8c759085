import type { Call, Output } from '../call.ts';
import { SqsError } from '../errors.ts';
import { queueOf } from './queue-of.ts';

export function purgeQueue(call: Call): Output {
  const queue = queueOf(call);
  if (call.now < queue.purgedAt + call.queues.purgeAfterSeconds * 1000) {
    throw new SqsError(
      'PurgeQueueInProgress',
      `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
    );
  }
  queue.purge(call.now);
  return undefined;
}
