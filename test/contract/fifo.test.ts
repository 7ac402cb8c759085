import { createHash } from 'node:crypto';
import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { badValue, refusal } from './test-queue.ts';
import { inEveryWorld } from './worlds.ts';

const EXPIRED = 'The receipt handle has expired.';

inEveryWorld('FIFO', (world) => {
  it('one receive may return several messages of a group, in order [P]', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', '1', '2', '3');
    expect(await queue.bodies()).toEqual(['1', '2', '3']);
  });

  it('a group with a message in flight is locked, and others are not [P]', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', 'a1', 'a2', 'a3');
    await queue.sendIn('b', 'b1');
    const [a1, a2] = await queue.receive({ MaxNumberOfMessages: 2 });
    expect([a1?.Body, a2?.Body]).toEqual(['a1', 'a2']);
    expect(await queue.bodies()).toEqual(['b1']);
    await queue.delete(a1 ?? {});
    expect(await queue.bodies()).toEqual([]);
    await queue.delete(a2 ?? {});
    expect(await queue.bodies()).toEqual(['a3']);
  });

  it('a message that is visible again precedes the later ones of its group', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', '1', '2', '3', '4');
    const [one, two] = await queue.receive({ MaxNumberOfMessages: 2 });
    await queue.hide(two ?? {}, 0);
    await queue.hide(one ?? {}, 0);
    expect(await queue.bodies()).toEqual(['1', '2', '3', '4']);
  });

  it('a group is free again when the timeout of its messages ends', async () => {
    const queue = await world.fifo({ VisibilityTimeout: '2' });
    await queue.sendIn('a', '1', '2');
    await queue.receive({ MaxNumberOfMessages: 1 });
    expect(await queue.bodies({ WaitTimeSeconds: 0 })).toEqual([]);
    await world.advance(world.isLocal ? 2 : 3);
    expect(await queue.bodies()).toEqual(['1', '2']);
  });

  it.runIf(world.isLocal)('a delayed later message does not block an earlier one [P]', async () => {
    const queue = await world.fifo({ DelaySeconds: '5' });
    await queue.sendIn('a', '1');
    await world.advance(3);
    await queue.sendIn('a', '2');
    await world.advance(2);
    const one = await queue.one();
    expect(one.Body).toBe('1');
    await queue.delete(one);
    await world.advance(3);
    expect(await queue.bodies()).toEqual(['2']);
  });

  it.runIf(world.isLocal)('a changed delay applies to existing messages [D]', async () => {
    const queue = await world.fifo({ DelaySeconds: '900' });
    await queue.sendIn('a', '1');
    await queue.set({ DelaySeconds: '2' });
    await world.advance(2);
    expect(await queue.bodies()).toEqual(['1']);
  });

  it('a DelaySeconds of the message above 0 is refused, and 0 is not [D]', async () => {
    const queue = await world.fifo();
    const send = (DelaySeconds: number) => queue.send('x', { MessageGroupId: 'a', DelaySeconds });
    await send(0);
    expect(await refusal(send(1))).toEqual(
      badValue(
        'DelaySeconds',
        1,
        'The request include parameter that is not valid for this queue type.',
      ),
    );
  });

  it('a move to the dead-letter queue unlocks the group [P]', async () => {
    const dead = await world.fifo();
    const queue = await world.fifo({
      VisibilityTimeout: '1',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: await dead.arn(), maxReceiveCount: 1 }),
    });
    await queue.sendIn('a', 'poison', 'good');
    expect(await queue.bodies({ MaxNumberOfMessages: 1 })).toEqual(['poison']);
    await world.advance(2);
    expect(await queue.bodies()).toEqual(['good']);
    const moved = await dead.one();
    expect(moved.Body).toBe('poison');
    expect(moved.Attributes).toMatchObject({ MessageGroupId: 'a', ApproximateReceiveCount: '2' });
  });

  it('sequence numbers have 20 digits, and grow', async () => {
    const queue = await world.fifo();
    const sent: string[] = [];
    for (const body of ['1', '2', '3']) {
      const { SequenceNumber = '' } = await queue.send(body, { MessageGroupId: body });
      expect(SequenceNumber).toMatch(/^\d{20}$/);
      sent.push(SequenceNumber);
    }
    expect([...new Set(sent)].sort()).toEqual(sent);
    const received = (await queue.receive()).map(({ Attributes }) => Attributes?.SequenceNumber);
    expect(received.sort()).toEqual(sent);
  });

  it('a duplicate is answered like the first, and not delivered', async () => {
    const queue = await world.fifo();
    const more = { MessageGroupId: 'a', MessageDeduplicationId: 'id' };
    const first = await queue.send('1', more);
    const again = await queue.send('2', more);
    expect(again.MessageId).toBe(first.MessageId);
    expect(again.SequenceNumber).toBe(first.SequenceNumber);
    expect(await queue.bodies()).toEqual(['1']);
  });

  it('deduplication survives a delete [L]', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', '1');
    await queue.delete(await queue.one());
    await queue.sendIn('a', '1');
    expect(await queue.bodies()).toEqual([]);
  });

  it.runIf(world.isLocal)('deduplication lasts 5 minutes from the first [D]', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', '1');
    await queue.delete(await queue.one());
    await world.advance(299);
    await queue.sendIn('a', '1');
    expect(await queue.bodies()).toEqual([]);
    await world.advance(2);
    await queue.sendIn('a', '1');
    expect(await queue.bodies()).toEqual(['1']);
  });

  it.runIf(world.isLocal)('a purge clears the deduplication memory [L]', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', '1');
    await queue.purge();
    await queue.sendIn('a', '1');
    expect(await queue.bodies()).toEqual(['1']);
  });

  it('the content’s id is the SHA-256 of the body in hexadecimal [P]', async () => {
    const queue = await world.fifo();
    await queue.send('body', {
      MessageGroupId: 'a',
      MessageAttributes: { not: { DataType: 'String', StringValue: 'in it' } },
    });
    const { Attributes } = await queue.one();
    expect(Attributes?.MessageDeduplicationId).toBe(
      createHash('sha256').update('body').digest('hex'),
    );
  });

  it('an explicit deduplication id takes precedence over the content’s', async () => {
    const queue = await world.fifo();
    await queue.send('same', { MessageGroupId: 'a', MessageDeduplicationId: '1' });
    await queue.send('same', { MessageGroupId: 'a', MessageDeduplicationId: '2' });
    await queue.sendIn('a', 'same');
    expect(await queue.bodies()).toEqual(['same', 'same', 'same']);
  });

  it('a deduplication id applies to the whole queue, or to its group if that is the scope [D]', async () => {
    const perQueue = await world.fifo();
    const perGroup = await world.fifo({
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
    });
    for (const queue of [perQueue, perGroup]) {
      for (const group of ['a', 'b', 'a']) await queue.sendIn(group, 'same');
    }
    expect(await perQueue.bodies()).toEqual(['same']);
    expect(await perGroup.bodies()).toEqual(['same', 'same']);
  });

  it('a message needs a deduplication id if the queue derives none from its content', async () => {
    const queue = await world.fifo({ ContentBasedDeduplication: 'false' });
    expect(await refusal(queue.sendIn('a', '1'))).toEqual({
      name: 'InvalidParameterValue',
      message:
        'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
      status: 400,
    });
    await queue.send('1', { MessageGroupId: 'a', MessageDeduplicationId: 'a'.repeat(128) });
    for (const MessageDeduplicationId of ['a b', 'a'.repeat(129)]) {
      const sent = refusal(queue.send('1', { MessageGroupId: 'a', MessageDeduplicationId }));
      expect(await sent).toMatchObject({ name: 'InvalidParameterValue' });
    }
  });

  it('a batch entry without a group fails the whole request; a single send reports it as missing [L]', async () => {
    const queue = await world.fifo();
    const batch = queue.batch([
      { Id: 'one', MessageBody: '1', MessageGroupId: 'a' },
      { Id: 'two', MessageBody: '2' },
    ]);
    expect(await refusal(batch)).toMatchObject({ name: 'InvalidParameterValue', status: 400 });
    expect(await refusal(queue.send('1'))).toEqual({
      name: 'MissingParameter',
      message: 'The request must contain the parameter MessageGroupId.',
      status: 400,
    });
    expect(await queue.bodies()).toEqual([]);
  });

  it('a batch is sent in its order; a duplicate in it is sent once', async () => {
    const queue = await world.fifo();
    const { Successful } = await queue.batch(
      ['1', '2', '1', '3'].map((MessageBody, n) => ({
        Id: `${n}`,
        MessageBody,
        MessageGroupId: 'a',
      })),
    );
    expect(Successful?.[2]?.MessageId).toBe(Successful?.[0]?.MessageId);
    expect(Successful?.[2]?.SequenceNumber).toBe(Successful?.[0]?.SequenceNumber);
    expect(await queue.bodies()).toEqual(['1', '2', '3']);
  });

  it('the same ReceiveRequestAttemptId gives the same messages and handles [D]', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', '1', '2');
    await queue.sendIn('b', '3');
    const ReceiveRequestAttemptId = 'attempt';
    const handles = async (more: object) =>
      (await queue.receive(more)).map(({ ReceiptHandle, Body }) => [Body, ReceiptHandle]);
    const first = await handles({ ReceiveRequestAttemptId, MaxNumberOfMessages: 2 });
    expect(first.map(([body]) => body)).toEqual(['1', '2']);
    expect(await handles({ ReceiveRequestAttemptId, MaxNumberOfMessages: 2 })).toEqual(first);
    expect((await handles({ ReceiveRequestAttemptId: 'other' })).map(([body]) => body)).toEqual([
      '3',
    ]);
  });

  it.runIf(world.isLocal)(
    'the same ReceiveRequestAttemptId resets the visibility of its messages [D]',
    async () => {
      const queue = await world.fifo({ VisibilityTimeout: '30' });
      await queue.sendIn('a', '1');
      const again = { ReceiveRequestAttemptId: 'attempt' };
      await queue.one(again);
      await world.advance(20);
      await queue.one(again);
      await world.advance(29);
      expect(await queue.bodies()).toEqual([]);
      await world.advance(1);
      expect(await queue.bodies()).toEqual(['1']);
    },
  );

  it.runIf(world.isLocal)('a ReceiveRequestAttemptId is remembered for 5 minutes [D]', async () => {
    const queue = await world.fifo({ VisibilityTimeout: '3600' });
    await queue.sendIn('a', '1');
    const again = { ReceiveRequestAttemptId: 'attempt' };
    await queue.one(again);
    await world.advance(299);
    await queue.one(again);
    await world.advance(2);
    expect(await queue.bodies(again)).toEqual([]);
  });

  it('a ReceiveRequestAttemptId ends when a message of it is deleted or its timeout has passed [D]', async () => {
    const queue = await world.fifo({ VisibilityTimeout: '2' });
    await queue.sendIn('a', '1', '2');
    const again = { ReceiveRequestAttemptId: 'attempt' };
    const [one] = await queue.receive(again);
    await queue.delete(one ?? {});
    await world.advance(world.isLocal ? 2 : 3);
    expect(await queue.bodies(again)).toEqual(['2']);
  });

  it('a ReceiveRequestAttemptId on a standard queue is refused', async () => {
    const queue = await world.queue();
    const received = refusal(queue.receive({ ReceiveRequestAttemptId: 'attempt' }));
    expect(await received).toMatchObject({ name: 'InvalidParameterValue', status: 400 });
  });

  it('a receipt past its timeout neither deletes nor hides', async () => {
    const queue = await world.fifo({ VisibilityTimeout: '1' });
    await queue.sendIn('a', '1');
    const message = await queue.one();
    await world.advance(2);
    const expired = badValue('ReceiptHandle', message.ReceiptHandle, EXPIRED);
    expect(await refusal(queue.delete(message))).toEqual(expired);
    expect(await refusal(queue.hide(message, 10))).toEqual(expired);
    const { Failed } = await world.client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: [{ Id: 'late', ReceiptHandle: message.ReceiptHandle }],
      }),
    );
    expect(Failed).toEqual([
      {
        Id: 'late',
        Code: 'InvalidParameterValue',
        Message: expired.message,
        SenderFault: true,
      },
    ]);
    expect(await queue.bodies()).toEqual(['1']);
  });

  it('a receipt neither deletes nor hides once another has received the message', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', '1');
    const older = await queue.one({ VisibilityTimeout: 1 });
    await world.advance(2);
    const newer = await queue.one();
    const expired = badValue('ReceiptHandle', older.ReceiptHandle, EXPIRED);
    expect(await refusal(queue.delete(older))).toEqual(expired);
    expect(await refusal(queue.hide(older, 10))).toEqual(expired);
    await queue.delete(newer);
    await queue.delete(newer);
    await queue.delete(older);
  });

  it('a FIFO queue wakes a waiting receive when a group is unlocked', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', '1', '2');
    const one = await queue.one({ MaxNumberOfMessages: 1 });
    const wait = queue.bodies({ WaitTimeSeconds: 10 });
    await world.arrived();
    await queue.delete(one);
    expect(await wait).toEqual(['2']);
  });
});
