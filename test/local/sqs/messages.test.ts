import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/local/sqs/index.ts';

const sqs = new Sqs({ strictTiming: false });
let client = createSqsClient(sqs);
let count = 0;
let QueueUrl = '';
let queueName = '';

/** A queue of its own for each test, on a clock that only moves when told to. */
async function queue(Attributes: Record<string, string> = {}): Promise<string> {
  queueName = `queue-${++count}`;
  const created = await client.send(new CreateQueueCommand({ QueueName: queueName, Attributes }));
  QueueUrl = created.QueueUrl ?? '';
  return QueueUrl;
}

const send = (MessageBody: string, more: { DelaySeconds?: number } = {}) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (more: Partial<ReceiveMessageCommand['input']> = {}) =>
  (
    await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['All'],
        ...more,
      }),
    )
  ).Messages ?? [];
const bodies = async (more: Partial<ReceiveMessageCommand['input']> = {}) =>
  (await receive(more)).map(({ Body }) => Body);
const advance = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['JSON', {}],
  ['CBOR', { protocol: AwsSmithyRpcV2CborProtocol }],
])('over %s', (_, config) => {
  beforeAll(() => {
    client = createSqsClient(sqs, config);
  });
  describe('visibility', () => {
    it('hides a received message until its timeout ends, and counts receives', async () => {
      await queue({ VisibilityTimeout: '30' });
      await send('one');
      const [first] = await receive();
      expect(first?.Attributes?.ApproximateReceiveCount).toBe('1');
      await advance(29.9);
      expect(await receive()).toEqual([]);
      await advance(0.2);
      const [again] = await receive();
      expect(again?.MessageId).toBe(first?.MessageId);
      expect(again?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
      expect(again?.Attributes).toMatchObject({
        ApproximateReceiveCount: '2',
        ApproximateFirstReceiveTimestamp: first?.Attributes?.ApproximateFirstReceiveTimestamp,
        SentTimestamp: first?.Attributes?.SentTimestamp,
      });
    });

    it('takes a VisibilityTimeout of the receive before that of the queue', async () => {
      await queue({ VisibilityTimeout: '30' });
      await send('one');
      await receive({ VisibilityTimeout: 2 });
      await advance(2);
      expect(await bodies()).toEqual(['one']);
    });

    it('changes the visibility of a message in flight: longer, and to nothing', async () => {
      await queue();
      await send('one');
      const [message] = await receive();
      const change = (VisibilityTimeout: number) =>
        client.send(
          new ChangeMessageVisibilityCommand({
            QueueUrl,
            ReceiptHandle: message?.ReceiptHandle,
            VisibilityTimeout,
          }),
        );
      await change(100);
      await advance(99);
      expect(await receive()).toEqual([]);
      await change(0);
      expect(await bodies()).toEqual(['one']);
    });

    it('hides a message again whose timeout has passed, as AWS does', async () => {
      await queue({ VisibilityTimeout: '1' });
      await send('one');
      const [message] = await receive();
      await advance(5);
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl,
          ReceiptHandle: message?.ReceiptHandle,
          VisibilityTimeout: 10,
        }),
      );
      expect(await receive()).toEqual([]);
      await advance(10);
      expect(await bodies()).toEqual(['one']);
    });

    it('deletes by the latest handle, timed out or not, and twice without complaint', async () => {
      await queue({ VisibilityTimeout: '1' });
      await send('one');
      const [message] = await receive();
      await advance(5);
      const ReceiptHandle = message?.ReceiptHandle;
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      expect(await receive()).toEqual([]);
    });

    it('counts what is visible, in flight and delayed', async () => {
      await queue();
      await send('a');
      await send('b');
      await send('c', { DelaySeconds: 60 });
      await receive({ MaxNumberOfMessages: 1 });
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
      );
      expect(Attributes).toMatchObject({
        ApproximateNumberOfMessages: '1',
        ApproximateNumberOfMessagesNotVisible: '1',
        ApproximateNumberOfMessagesDelayed: '1',
      });
      expect(sqs.peek(queueName).map(({ body, state }) => [body, state])).toEqual([
        ['a', 'inFlight'],
        ['b', 'visible'],
        ['c', 'delayed'],
      ]);
    });
  });

  describe('delay and retention', () => {
    it('delays a message by its own time or its queue’s', async () => {
      await queue({ DelaySeconds: '10' });
      await send('by queue');
      await send('at once', { DelaySeconds: 0 });
      await send('later', { DelaySeconds: 20 });
      expect(await bodies()).toEqual(['at once']);
      await advance(10);
      expect(await bodies()).toEqual(['by queue']);
      await advance(10);
      expect(await bodies()).toEqual(['later']);
    });

    it('drops what is older than the retention, in flight or not', async () => {
      await queue({ MessageRetentionPeriod: '60', VisibilityTimeout: '40' });
      await send('in flight');
      await receive();
      await advance(30);
      await send('younger');
      await advance(31);
      expect(await bodies()).toEqual(['younger']);
      await advance(60);
      expect(sqs.peek(queueName)).toEqual([]);
    });
  });

  describe('long polls', () => {
    it('are woken by a send, one for each message', async () => {
      await queue();
      const waits = [receive({ WaitTimeSeconds: 20 }), receive({ WaitTimeSeconds: 20 })];
      await advance(5);
      await send('one');
      expect((await waits[0])?.map(({ Body }) => Body)).toEqual(['one']);
      await advance(1);
      await send('two');
      expect((await waits[1])?.map(({ Body }) => Body)).toEqual(['two']);
    });

    it('end empty when their time is over, and not before', async () => {
      await queue({ ReceiveMessageWaitTimeSeconds: '20' });
      let ended = false;
      const wait = receive({ WaitTimeSeconds: 3 }).finally(() => {
        ended = true;
      });
      await advance(2.9);
      expect(ended).toBe(false);
      await advance(0.2);
      expect(await wait).toEqual([]);
    });

    it('are woken when a delay or a visibility timeout ends', async () => {
      await queue({ VisibilityTimeout: '8' });
      await send('hidden');
      await receive();
      await send('delayed', { DelaySeconds: 4 });
      const first = receive({ WaitTimeSeconds: 20 });
      const second = receive({ WaitTimeSeconds: 20 });
      await advance(4);
      expect((await first).map(({ Body }) => Body)).toEqual(['delayed']);
      await advance(4);
      expect((await second).map(({ Body }) => Body)).toEqual(['hidden']);
    });

    it('that are aborted take nothing with them', async () => {
      await queue();
      const gone = new AbortController();
      const wait = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
        abortSignal: gone.signal,
      });
      const caught = wait.catch((error: Error) => error.name);
      await advance(1);
      gone.abort();
      expect(await caught).toBe('AbortError');
      await send('one');
      expect(await bodies()).toEqual(['one']);
    });

    it('set no timer once nobody waits', async () => {
      await queue();
      const wait = receive({ WaitTimeSeconds: 20 });
      await advance(1);
      await send('one', { DelaySeconds: 5 });
      await send('two');
      await wait;
      expect(vi.getTimerCount()).toBe(0);
    });
  });

  describe('dead letters', () => {
    it('moves a message on at the receive after the last, with its history', async () => {
      const deadUrl = await queue();
      const deadName = queueName;
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: deadUrl, AttributeNames: ['QueueArn'] }),
      );
      const deadLetterTargetArn = Attributes?.QueueArn;
      await queue({
        VisibilityTimeout: '1',
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 }),
      });
      await send('poison');
      const [first] = await receive();
      await advance(1);
      await receive();
      await advance(1);
      expect(sqs.peek(deadName)).toEqual([]);
      expect(await receive()).toEqual([]);
      const [dead] = await receive({ QueueUrl: deadUrl });
      expect(dead?.MessageId).toBe(first?.MessageId);
      expect(dead?.Attributes).toMatchObject({
        ApproximateReceiveCount: '3',
        SentTimestamp: first?.Attributes?.SentTimestamp,
        DeadLetterQueueSourceArn: expect.stringMatching(new RegExp(`:${queueName}$`)),
      });
    });

    it('wakes who waits on the dead-letter queue', async () => {
      const deadUrl = await queue();
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: deadUrl, AttributeNames: ['QueueArn'] }),
      );
      await queue({
        VisibilityTimeout: '0',
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: Attributes?.QueueArn,
          maxReceiveCount: '1',
        }),
      });
      const wait = receive({ QueueUrl: deadUrl, WaitTimeSeconds: 20 });
      await advance(1);
      await send('poison');
      await receive();
      await receive();
      expect((await wait).map(({ Body }) => Body)).toEqual(['poison']);
    });
  });

  describe('what a message carries', () => {
    it('comes back exactly: any character that SQS takes, and its group', async () => {
      await queue();
      const body = 'tab\t "quoted" \\ line\n\r\u{1f600} \u007f \u2028 \ufffd é';
      await client.send(
        new SendMessageCommand({ QueueUrl, MessageBody: body, MessageGroupId: 'tenant-1' }),
      );
      const [message] = await receive();
      expect(message?.Body).toBe(body);
      expect(message?.Attributes?.MessageGroupId).toBe('tenant-1');
      expect(sqs.peek(queueName)[0]?.body).toBe(body);
    });

    // The SDK checks each MD5 itself and would throw.
    it('has attributes of every type, given when asked for', async () => {
      await queue();
      await client.send(
        new SendMessageCommand({
          QueueUrl,
          MessageBody: 'x',
          MessageAttributes: {
            text: { DataType: 'String.mine', StringValue: 'ü' },
            number: { DataType: 'Number', StringValue: '-1.5e3' },
            'bytes.raw': { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255, 1) },
          },
        }),
      );
      const [plain] = await receive({ VisibilityTimeout: 0 });
      expect(plain?.MessageAttributes).toBeUndefined();
      const [some] = await receive({ VisibilityTimeout: 0, MessageAttributeNames: ['bytes.*'] });
      expect(Object.keys(some?.MessageAttributes ?? {})).toEqual(['bytes.raw']);
      const bytes = some?.MessageAttributes?.['bytes.raw'];
      expect(bytes?.DataType).toBe('Binary');
      expect([...(bytes?.BinaryValue ?? [])]).toEqual([0, 255, 1]);
      const [all] = await receive({ MessageAttributeNames: ['All'] });
      expect(Object.keys(all?.MessageAttributes ?? {}).sort()).toEqual([
        'bytes.raw',
        'number',
        'text',
      ]);
      expect(all?.MD5OfMessageAttributes).not.toBe(some?.MD5OfMessageAttributes);
    });

    it('goes in batches of ten, of which an entry may fail alone', async () => {
      await queue({ MaximumMessageSize: '2048' });
      const { Successful, Failed } = await client.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: [
            { Id: 'small', MessageBody: 'x'.repeat(2048) },
            { Id: 'large', MessageBody: 'x'.repeat(2049) },
            { Id: 'late', MessageBody: 'y', DelaySeconds: 901 },
          ],
        }),
      );
      expect(Successful?.map(({ Id }) => Id)).toEqual(['small']);
      expect(Failed).toEqual([
        {
          Id: 'large',
          Code: 'InvalidParameterValue',
          Message:
            'One or more parameters are invalid. Reason: Message must be shorter than 2048 bytes.',
          SenderFault: true,
        },
        expect.objectContaining({ Id: 'late', Code: 'InvalidParameterValue' }),
      ]);
      expect(await bodies()).toEqual(['x'.repeat(2048)]);
    });
  });
});
