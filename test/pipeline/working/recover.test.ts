import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { chunkBody } from '../../../src/pipeline/messages/chunk.ts';
import { namesOf, newRunId } from '../../../src/pipeline/names.ts';
import { recover } from '../../../src/pipeline/working/recover.ts';

const names = namesOf('Photos');

it('recovery loses no item of a dead worker’s chunk: an item that ran alone is retried, others are sent back', async () => {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  const create = async (QueueName: string) =>
    (await client.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? '';
  const taskQueueUrl = await create(names.tasks);
  await create(names.results);
  const items = [0, 1, 2, 3].map((index) => ({ index, text: `"input ${index}"` }));
  const envelope = { runId: newRunId(), task: 'echo', attempt: 1, results: 'shared' as const };
  const body = chunkBody({ ...envelope, expiresAt: Date.now() + 3_600_000 }, items);
  await client.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody: body }));
  const received = await client.send(new ReceiveMessageCommand({ QueueUrl: taskQueueUrl }));
  const [{ ReceiptHandle: receiptHandle = '' } = {}] = received.Messages ?? [];
  await recover({
    ...{ sqs: client, taskQueueUrl, queueUrl: taskQueueUrl, worker: 'w', receiptHandle, body },
    lastWords: { suspects: [1], again: [2], settled: [0] },
    inSetup: false,
    cause: 'exit code 1',
    overran: false,
    retryOf: () => ({
      maxAttempts: 3,
      backoffBaseSeconds: 0,
      backoffCapSeconds: 0,
      concurrency: 1,
    }),
  });
  const left = sqs.peek(names.tasks).map(({ body }) => {
    const { attempt, items } = JSON.parse(body) as { attempt: number; items: [number][] };
    return { attempt, indexes: items.map(([index]) => index) };
  });
  expect(left).toHaveLength(3);
  expect(left).toContainEqual({ attempt: 1, indexes: [3] });
  // The one that the process died on, and one that had failed before.
  expect(left).toContainEqual({ attempt: 2, indexes: [1] });
  expect(left).toContainEqual({ attempt: 2, indexes: [2] });
});
