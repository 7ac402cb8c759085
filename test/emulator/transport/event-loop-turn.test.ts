import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it, onTestFinished } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';

/** More calls than fit in a second. */
const MANY = 100_000;

it('a loop of calls in process leaves room for the timer that ends it', async () => {
  const sqs = new Sqs();
  onTestFinished(() => sqs.close());
  const client = createSqsClient(sqs);
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'empty' }));
  let ended = false;
  setTimeout(() => {
    ended = true;
  }, 50);
  let calls = 0;
  for (; !ended && calls < MANY; calls++) {
    await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 0 }));
  }
  expect(calls).toBeLessThan(MANY);
});
