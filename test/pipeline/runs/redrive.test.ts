import {
  CreateQueueCommand,
  ListMessageMoveTasksCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { namesOf } from '../../../src/pipeline/names.ts';
import { redrive } from '../../../src/pipeline/runs/redrive.ts';
import { within } from '../virtual-deployment.ts';

const names = namesOf('Photos');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('redrive waits for a move in progress, and starts no other', async () => {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  const arn = (queue: string) => `arn:aws:sqs:us-east-1:000000000000:${queue}`;
  const create = async (QueueName: string, Attributes = {}) =>
    (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const QueueUrl = await create(names.dead);
  const RedrivePolicy = { deadLetterTargetArn: arn(names.dead), maxReceiveCount: 1 };
  await create(names.tasks, { RedrivePolicy: JSON.stringify(RedrivePolicy) });
  for (const MessageBody of ['a', 'b', 'c', 'd']) {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  }
  const SourceArn = arn(names.dead);
  await client.send(
    new StartMessageMoveTaskCommand({
      SourceArn,
      DestinationArn: arn(names.tasks),
      MaxNumberOfMessagesPerSecond: 1,
    }),
  );
  expect(await within(60, redrive({ sqs: client, names }))).toEqual({ moved: 4, of: 4 });
  const moves = await client.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 10 }));
  expect(moves.Results).toHaveLength(1);
  expect(sqs.peek(names.tasks)).toHaveLength(4);
});
