import type { Call, Output } from '../call.ts';
import { accessible } from './queue-of.ts';

export function getQueueUrl(call: Call): Output {
  const { input, queues, accounts, urlOf } = call;
  const name = input.requiredText('QueueName');
  const accountId = input.text('QueueOwnerAWSAccountId') ?? queues.accountId;
  const owner = { ...queues.owner, accountId };
  return { QueueUrl: urlOf(accessible(call, accounts.find(owner)?.find(name))) };
}
