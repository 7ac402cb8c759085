import type { Call, Output } from '../call.ts';
import { queueDoesNotExist } from '../errors.ts';

export function getQueueUrl({ input, queues, urlOf }: Call): Output {
  const queue = queues.find(input.requiredText('QueueName'));
  const owner = input.text('QueueOwnerAWSAccountId') ?? queues.accountId;
  if (queue === undefined || owner !== queues.accountId) throw queueDoesNotExist();
  return { QueueUrl: urlOf(queue) };
}
