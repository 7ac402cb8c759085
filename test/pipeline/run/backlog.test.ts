import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { namesOf } from '../../../src/pipeline/names.ts';
import { backlogOf } from '../../../src/pipeline/run/backlog.ts';
import { denying } from '../../denying.ts';

const names = namesOf('Photos');

/** A deployment with two chunks on the task queue, of which one is delayed. */
async function deployment() {
  const service = new Sqs();
  const sqs = createSqsClient(service);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: names.tasks }));
  for (const DelaySeconds of [0, 60]) {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', DelaySeconds }));
  }
  return { service, sqs, names };
}

/** A deployment with three chunks in one lane too, of which one is in progress. */
async function withLanes() {
  const made = await deployment();
  const { sqs } = made;
  const lanes = { QueueName: names.lanes, Attributes: { FifoQueue: 'true' } };
  const { QueueUrl } = await sqs.send(new CreateQueueCommand(lanes));
  for (const MessageDeduplicationId of ['a', 'b', 'c']) {
    const message = { MessageBody: 'x', MessageGroupId: 'run.0', MessageDeduplicationId };
    await sqs.send(new SendMessageCommand({ QueueUrl, ...message }));
  }
  await sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 600 }));
  return made;
}

const TASKS_ONLY = { waiting: 1, delayed: 1, inFlight: 0 };

it('a backlog has the chunks of the task queue and those in lanes', async () => {
  expect(await backlogOf(await withLanes())).toEqual({ waiting: 3, delayed: 1, inFlight: 1 });
});

it('a deployment without a queue of lanes has no chunks there', async () => {
  expect(await backlogOf(await deployment())).toEqual(TASKS_ONLY);
});

it('a deployment without lanes is known also to callers whose policy does not name them', async () => {
  const { service } = await deployment();
  const isLanes = (queue: string) => queue.endsWith(names.lanes);
  const operator = denying(createSqsClient(service), (_, queue) => isLanes(queue));
  expect(await backlogOf({ sqs: operator, names })).toEqual(TASKS_ONLY);
  const machine = denying(
    createSqsClient(service),
    (command, queue) => command === 'ListQueuesCommand' || isLanes(queue),
  );
  expect(await backlogOf({ sqs: machine, names })).toEqual(TASKS_ONLY);
});

it('chunks in lanes that a caller may not count are not taken for none', async () => {
  const { service } = await withLanes();
  const sqs = denying(createSqsClient(service), (_, queue) => queue.endsWith(names.lanes));
  await expect(backlogOf({ sqs, names })).rejects.toMatchObject({ name: 'AccessDenied' });
});
