import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateQueueCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { createSqsClient, Sqs } from 'fanfold/sqs';
import { drain } from './consumer.ts';

/** A queue with one message, whose dead letters go to `mail-dead` after two receives. */
async function queueWith(client: SQSClient, body: string): Promise<string> {
  await client.send(new CreateQueueCommand({ QueueName: 'mail-dead' }));
  const { QueueUrl = '' } = await client.send(
    new CreateQueueCommand({
      QueueName: 'mail',
      Attributes: {
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:mail-dead',
          maxReceiveCount: 2,
        }),
      },
    }),
  );
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
  return QueueUrl;
}

test('a handled message is deleted', async () => {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  const handled: string[] = [];
  await drain(client, await queueWith(client, 'hello'), async (body) => {
    handled.push(body);
  });
  assert.deepEqual(handled, ['hello']);
  assert.deepEqual(sqs.peek('mail'), []);
});

test('a message that failed once is handled the second time', async () => {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  let tries = 0;
  await drain(client, await queueWith(client, 'hello'), async () => {
    if (++tries === 1) throw new Error('the mail server is busy');
  });
  assert.equal(tries, 2);
  assert.deepEqual(sqs.peek('mail-dead'), []);
});

test('a message that always fails ends in the dead-letter queue', async () => {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  let tries = 0;
  await drain(client, await queueWith(client, 'poison'), async () => {
    tries++;
    throw new Error('cannot be read');
  });
  assert.equal(tries, 2);
  assert.deepEqual(sqs.peek('mail'), []);
  assert.equal(sqs.peek('mail-dead')[0]?.body, 'poison');
});
