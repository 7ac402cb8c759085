import type { Call, Output } from '../call.ts';
import { addTags, checkTags } from './tag-queue.ts';

export function createQueue({ input, queues, now, urlOf }: Call): Output {
  const name = input.requiredText('QueueName');
  const tags = input.textMap('tags');
  // Before the queue is created, since a refusal would leave it behind.
  checkTags(tags, name);
  const known = queues.find(name) !== undefined;
  const queue = queues.create(name, input.textMap('Attributes'), now);
  if (!known && Object.keys(tags).length > 0) addTags(queue, tags);
  return { QueueUrl: urlOf(queue) };
}
