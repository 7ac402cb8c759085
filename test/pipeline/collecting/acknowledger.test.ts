import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { Acknowledger } from '../../../src/pipeline/collecting/acknowledger.ts';

it('an acknowledger has deleted all its messages once it is settled', async () => {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  const created = await client.send(new CreateQueueCommand({ QueueName: 'results' }));
  const QueueUrl = created.QueueUrl ?? '';
  const received = async (count: number) => {
    const handles: string[] = [];
    for (let sent = 0; sent < count; sent++) {
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a result' }));
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
      handles.push(...Messages.map(({ ReceiptHandle = '' }) => ReceiptHandle));
    }
    return handles;
  };
  const left = () => sqs.peek('results').length;
  const acknowledger = new Acknowledger(client, QueueUrl);
  for (const count of [3, 25, 2]) {
    acknowledger.acknowledge(await received(count));
    await expect.poll(left).toBe(0);
  }
  acknowledger.acknowledge(await received(4));
  await acknowledger.settled();
  expect(left()).toBe(0);
});
