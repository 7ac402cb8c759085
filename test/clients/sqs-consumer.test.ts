import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SqsServer, serveSqs } from '../../src/emulator/sqs/index.ts';

const credentials = { accessKeyId: 'consumer', secretAccessKey: 'secret' };
let server: SqsServer;
let sqs: SQSClient;

beforeAll(async () => {
  server = await serveSqs({ credentials: [credentials] });
  sqs = new SQSClient({ endpoint: server.url, region: server.sqs.region, credentials });
});
afterAll(async () => {
  sqs.destroy();
  await server.close();
});

/** A queue with messages. */
async function queueWith(QueueName: string, bodies: readonly string[]): Promise<string> {
  const Attributes = { VisibilityTimeout: '1' };
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  for (const MessageBody of bodies) {
    await sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody,
        MessageAttributes: { kind: { DataType: 'String', StringValue: 'test' } },
      }),
    );
  }
  return QueueUrl;
}

it('sqs-consumer receives every message once, and deletes handled messages', async () => {
  const bodies = Array.from({ length: 25 }, (_, n) => `message ${n}`);
  const queueUrl = await queueWith('handled', bodies);
  const handled: string[] = [];
  const consumer = Consumer.create({
    sqs,
    queueUrl,
    batchSize: 10,
    messageAttributeNames: ['All'],
    handleMessage: async (message) => {
      expect(message.MessageAttributes?.kind?.StringValue).toBe('test');
      handled.push(message.Body ?? '');
      return message;
    },
  });
  consumer.start();
  await expect.poll(() => server.sqs.peek('handled')).toEqual([]);
  consumer.stop({ abort: true });
  expect(handled.sort()).toEqual(bodies.sort());
});

it('sqs-consumer keeps messages that it failed to handle, and receives them again', async () => {
  const queueUrl = await queueWith('failed', ['fails once']);
  let attempts = 0;
  const errors: string[] = [];
  const consumer = Consumer.create({
    sqs,
    queueUrl,
    waitTimeSeconds: 5,
    handleMessageBatch: async (messages) => {
      attempts++;
      if (attempts === 1) throw new Error('not today');
      return messages;
    },
  });
  consumer.on('processing_error', (error) => errors.push(error.message));
  consumer.on('error', (error) => errors.push(error.message));
  consumer.start();
  await expect.poll(() => server.sqs.peek('failed'), { timeout: 5_000 }).toEqual([]);
  consumer.stop({ abort: true });
  expect(attempts).toBe(2);
  expect(errors.join()).toContain('not today');
});

it('sqs-consumer stops during a long poll', async () => {
  const queueUrl = await queueWith('idle', []);
  const consumer = Consumer.create({
    sqs,
    queueUrl,
    waitTimeSeconds: 20,
    handleMessage: async () => undefined,
  });
  const stopped = new Promise((resolve) => consumer.once('stopped', () => resolve('stopped')));
  consumer.start();
  consumer.stop({ abort: true });
  expect(await stopped).toBe('stopped');
});
