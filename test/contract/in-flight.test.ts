// @module-tag more
import { describe, expect, it } from 'vitest';
import { Sqs, type SqsOptions } from '../../src/emulator/sqs/index.ts';

const MOST = 120_000;

/** Calls SQS without the SDK, which would take most of the time. */
class Bare {
  readonly #sqs: Sqs;
  QueueUrl = '';

  constructor(options: SqsOptions) {
    this.#sqs = new Sqs(options);
  }

  async act(action: string, parameters: object): Promise<{ status: number; body: string }> {
    const { status, body } = await this.#sqs.service({
      method: 'POST',
      path: '/',
      query: new URLSearchParams(),
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
      },
      body: JSON.stringify({ QueueUrl: this.QueueUrl, ...parameters }),
      signal: new AbortController().signal,
    });
    return { status, body: body.toString() };
  }

  /** Creates a queue with the maximum of messages in flight, and one more. */
  async fill(isFifo: boolean): Promise<string> {
    const QueueName = isFifo ? 'full.fifo' : 'full';
    const Attributes = isFifo ? { FifoQueue: 'true' } : {};
    this.QueueUrl = `http://localhost/000000000000/${QueueName}`;
    await this.act('CreateQueue', { QueueName, Attributes });
    for (let at = 0; at <= MOST; at += 10) {
      const Entries = Array.from({ length: at < MOST ? 10 : 1 }, (_, n) => ({
        Id: `${n}`,
        MessageBody: 'x',
        ...(isFifo && { MessageGroupId: `${at + n}`, MessageDeduplicationId: `${at + n}` }),
      }));
      await this.act('SendMessageBatch', { Entries });
    }
    let first = '';
    for (let at = 0; at < MOST; at += 10) {
      const { body } = await this.act('ReceiveMessage', {
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 43_200,
      });
      first ||= JSON.parse(body).Messages[0].ReceiptHandle;
    }
    return first;
  }
}

describe('120,000 messages in flight', () => {
  it('are the maximum of a standard queue: OverLimit on a short poll, no message on a long one', async () => {
    const bare = new Bare({ bodyDigests: false });
    const ReceiptHandle = await bare.fill(false);
    const short = await bare.act('ReceiveMessage', {});
    expect(short.status).toBe(403);
    expect(JSON.parse(short.body).__type).toBe('com.amazonaws.sqs#OverLimit');
    const long = await bare.act('ReceiveMessage', { WaitTimeSeconds: 1 });
    expect(long).toEqual({ status: 200, body: '{}' });
    // A freed place is used at once.
    const waiting = bare.act('ReceiveMessage', { WaitTimeSeconds: 20 });
    await bare.act('DeleteMessage', { ReceiptHandle });
    expect(JSON.parse((await waiting).body).Messages).toHaveLength(1);
  });

  it('are the maximum of a FIFO queue, which returns no message beyond it', async () => {
    const bare = new Bare({ bodyDigests: false });
    const ReceiptHandle = await bare.fill(true);
    expect(await bare.act('ReceiveMessage', {})).toEqual({ status: 200, body: '{}' });
    await bare.act('DeleteMessage', { ReceiptHandle });
    const { body } = await bare.act('ReceiveMessage', {});
    expect(JSON.parse(body).Messages).toHaveLength(1);
  });
});
