import type { Call } from '../call.ts';
import type { Queue } from '../engine/queue.ts';
import { queueDoesNotExist } from '../errors.ts';

/** The queue that a request's QueueUrl names. Without one, AWS finds no queue rather than no parameter. */
export function queueOf({ input, queues }: Call): Queue {
  const url = input.text('QueueUrl');
  if (url === undefined || url === '') throw queueDoesNotExist();
  return queues.byUrl(url);
}
