import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { badValue, refusal } from './test-queue.ts';
import { inEveryWorld } from './worlds.ts';

const GONE = 'Message does not exist or is not available for visibility timeout change.';

inEveryWorld('Receipts and visibility', (world) => {
  it('a received message is hidden until its timeout ends, and its receives are counted', async () => {
    const queue = await world.queue({ VisibilityTimeout: '2' });
    await queue.send('one');
    const first = await queue.one();
    expect(first.Attributes?.ApproximateReceiveCount).toBe('1');
    if (world.isLocal) await world.advance(1.9);
    expect(await queue.receive({ WaitTimeSeconds: 0 })).toEqual([]);
    await world.advance(world.isLocal ? 0.1 : 2.5);
    const again = await queue.one();
    expect(again.MessageId).toBe(first.MessageId);
    expect(again.ReceiptHandle).not.toBe(first.ReceiptHandle);
    expect(again.Attributes).toEqual({ ...first.Attributes, ApproximateReceiveCount: '2' });
  });

  it.runIf(world.isLocal)(
    'a receive’s VisibilityTimeout takes precedence over the queue’s',
    async () => {
      const queue = await world.queue({ VisibilityTimeout: '30' });
      await queue.send('one');
      await queue.receive({ VisibilityTimeout: 2 });
      await world.advance(1.9);
      expect(await queue.bodies()).toEqual([]);
      await world.advance(0.1);
      expect(await queue.bodies({ VisibilityTimeout: 0 })).toEqual(['one']);
      expect(await queue.bodies()).toEqual(['one']);
      await world.advance(29.9);
      expect(await queue.bodies()).toEqual([]);
    },
  );

  it.runIf(world.isLocal)(
    'ChangeMessageVisibility hides a message in flight for longer, or shows it at once',
    async () => {
      const queue = await world.queue();
      await queue.send('one');
      const message = await queue.one();
      await queue.hide(message, 100);
      await world.advance(99);
      expect(await queue.bodies()).toEqual([]);
      await queue.hide(message, 0);
      expect(await queue.bodies()).toEqual(['one']);
    },
  );

  it('ChangeMessageVisibility hides a message again whose timeout has passed [P, L]', async () => {
    const queue = await world.queue({ VisibilityTimeout: '1' });
    await queue.send('one');
    const message = await queue.one();
    await world.advance(2);
    await queue.hide(message, 4);
    expect(await queue.bodies()).toEqual([]);
    await world.advance(4);
    expect(await queue.bodies()).toEqual(['one']);
  });

  it('ChangeMessageVisibility refuses a deleted message [L]', async () => {
    const queue = await world.queue();
    await queue.send('one');
    const message = await queue.one();
    await queue.delete(message);
    expect(await refusal(queue.hide(message, 1))).toEqual(
      badValue('ReceiptHandle', message.ReceiptHandle, GONE),
    );
  });

  it('deleting twice succeeds [P, L]', async () => {
    const queue = await world.queue();
    await queue.send('one');
    const message = await queue.one({ VisibilityTimeout: 2 });
    await queue.delete(message);
    await queue.delete(message);
    await world.advance(2);
    expect(await queue.bodies()).toEqual([]);
  });

  it('a handle deletes after its timeout if the message was not received again [P, L]', async () => {
    const queue = await world.queue();
    await queue.send('one');
    const message = await queue.one({ VisibilityTimeout: 1 });
    await world.advance(2);
    await queue.delete(message);
    expect(await queue.bodies()).toEqual([]);
  });

  it('an older handle succeeds, whether it deletes or not [D]', async () => {
    const queue = await world.queue();
    await queue.send('one');
    const older = await queue.one({ VisibilityTimeout: 0 });
    const newer = await queue.one();
    await queue.delete(older);
    await queue.delete(newer);
  });

  it.runIf(world.isLocal)(
    'an older handle does not delete here: the newer receive holds the message',
    async () => {
      const queue = await world.queue();
      await queue.send('one');
      const older = await queue.one({ VisibilityTimeout: 0 });
      await queue.one();
      await queue.delete(older);
      expect(queue.peek()).toEqual([['one', 'inFlight']]);
    },
  );

  it('a visibility timeout is at most 12 h in total, counted from the receive', async () => {
    const queue = await world.queue();
    await queue.send('one');
    const message = await queue.one();
    const past = (seconds: number) =>
      badValue(
        'VisibilityTimeout',
        seconds,
        'Total VisibilityTimeout for the message is beyond the limit [43200 seconds]',
      );
    await world.advance(2);
    expect(await refusal(queue.hide(message, 43_200))).toEqual(past(43_200));
    await queue.hide(message, 43_190);
    if (!world.isLocal) return;
    await world.advance(43_180);
    expect(await refusal(queue.hide(message, 19))).toEqual(past(19));
    await queue.hide(message, 18);
  });

  it('a timeout must be given, from 0 to 43,200 s', async () => {
    const queue = await world.queue();
    await queue.send('one');
    const message = await queue.one();
    for (const seconds of [-1, 43_201]) {
      expect(await refusal(queue.hide(message, seconds))).toMatchObject({
        name: 'InvalidParameterValue',
        status: 400,
      });
    }
    const { url: QueueUrl } = queue;
    const { ReceiptHandle } = message;
    const none = new ChangeMessageVisibilityCommand({
      QueueUrl,
      ReceiptHandle,
      VisibilityTimeout: undefined,
    });
    expect((await refusal(world.client.send(none))).name).toBe('MissingParameter');
  });

  it('an invalid handle, or one of another queue, is refused', async () => {
    const [queue, other] = [await world.queue(), await world.queue()];
    await other.send('one');
    const foreign = await other.one();
    for (const ReceiptHandle of ['nonsense', foreign.ReceiptHandle]) {
      for (const call of [queue.delete({ ReceiptHandle }), queue.hide({ ReceiptHandle }, 1)]) {
        const { name, status } = await refusal(call);
        expect([name, status]).toEqual(['ReceiptHandleIsInvalid', 404]);
      }
    }
    const none = queue.delete({ ReceiptHandle: undefined });
    expect(await refusal(none)).toMatchObject({
      name: 'MissingParameter',
      message: 'The request must contain the parameter ReceiptHandle.',
    });
  });

  it.runIf(world.isLocal)('a handle that no receive has issued is refused', async () => {
    const queue = await world.queue();
    await queue.send('one');
    const { ReceiptHandle = '' } = await queue.one();
    const [uid, number, receive] = ReceiptHandle.split('/');
    for (const handle of [
      `${uid}/${number}/0${receive}`,
      `${uid}/0${number}/${receive}`,
      `${uid}/zz/${receive}`,
      `${uid}/${number}/zz`,
    ]) {
      for (const call of [
        queue.delete({ ReceiptHandle: handle }),
        queue.hide({ ReceiptHandle: handle }, 1),
      ]) {
        expect((await refusal(call)).name, handle).toBe('ReceiptHandleIsInvalid');
      }
    }
    expect(queue.peek()).toEqual([['one', 'inFlight']]);
    await queue.delete({ ReceiptHandle });
    await queue.delete({ ReceiptHandle });
  });

  it('batches of deletes and of visibility changes fail entry by entry', async () => {
    const queue = await world.queue();
    const { url: QueueUrl } = queue;
    await queue.send('one');
    const { ReceiptHandle } = await queue.one();
    const handles = [
      { Id: 'good', ReceiptHandle },
      { Id: 'bad', ReceiptHandle: 'nonsense' },
    ];
    const change = new ChangeMessageVisibilityBatchCommand({
      QueueUrl,
      Entries: handles.map((entry) => ({ ...entry, VisibilityTimeout: 60 })),
    });
    const remove = new DeleteMessageBatchCommand({ QueueUrl, Entries: handles });
    for (const { Successful, Failed } of [
      await world.client.send(change),
      await world.client.send(remove),
    ]) {
      expect(Successful).toEqual([{ Id: 'good' }]);
      expect(Failed).toEqual([
        expect.objectContaining({ Id: 'bad', Code: 'ReceiptHandleIsInvalid', SenderFault: true }),
      ]);
    }
    expect(await queue.attributes('ApproximateNumberOfMessagesNotVisible')).toMatchObject(
      world.isLocal ? { ApproximateNumberOfMessagesNotVisible: '0' } : {},
    );
    for (const none of [
      new DeleteMessageBatchCommand({ QueueUrl, Entries: [] }),
      new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: [] }),
    ]) {
      expect((await refusal(world.client.send(none as DeleteMessageBatchCommand))).name).toBe(
        'EmptyBatchRequest',
      );
    }
  });

  it.runIf(world.isLocal)(
    'visible, delayed and in flight are counted and can be seen',
    async () => {
      const queue = await world.queue();
      await queue.send('a');
      await queue.send('b');
      await queue.send('c', { DelaySeconds: 60 });
      await queue.receive({ MaxNumberOfMessages: 1 });
      expect(await queue.attributes()).toMatchObject({
        ApproximateNumberOfMessages: '1',
        ApproximateNumberOfMessagesNotVisible: '1',
        ApproximateNumberOfMessagesDelayed: '1',
      });
      expect(queue.peek()).toEqual([
        ['a', 'inFlight'],
        ['b', 'visible'],
        ['c', 'delayed'],
      ]);
    },
  );
});
