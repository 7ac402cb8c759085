// @module-tag more
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AddPermissionCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createSqsClient, openStore, Sqs } from '../../../../src/emulator/sqs/index.ts';
import { testFolder } from './durable.ts';

/** An SQS in this process that is closed and opened again. */
class Restarted {
  readonly #folder: string;
  sqs: Sqs;
  client: SQSClient;

  private constructor(folder: string, sqs: Sqs) {
    this.#folder = folder;
    this.sqs = sqs;
    this.client = createSqsClient(sqs);
  }

  static async open(): Promise<Restarted> {
    const folder = await testFolder();
    const opened = new Restarted(folder, new Sqs({ store: openStore(folder) }));
    onTestFinished(() => opened.sqs.close());
    return opened;
  }

  async restart(): Promise<void> {
    await this.sqs.close();
    this.sqs = new Sqs({ store: openStore(this.#folder) });
    this.client = createSqsClient(this.sqs);
  }
}

it('a queue, its attributes, permissions and tags survive a restart', async () => {
  const world = await Restarted.open();
  const { QueueUrl } = await world.client.send(
    new CreateQueueCommand({
      QueueName: 'q',
      Attributes: { VisibilityTimeout: '77' },
      tags: { one: 'a', two: 'b' },
    }),
  );
  await world.client.send(
    new AddPermissionCommand({
      QueueUrl,
      Label: 'label',
      AWSAccountIds: ['123456789012'],
      Actions: ['SendMessage'],
    }),
  );
  await world.client.send(new UntagQueueCommand({ QueueUrl, TagKeys: ['two'] }));
  const ask = async () => [
    await world.client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })),
    await world.client.send(new ListQueueTagsCommand({ QueueUrl })),
  ];
  const told = (answers: object[]) => answers.map((answer) => ({ ...answer, $metadata: {} }));
  const before = told(await ask());
  await world.restart();
  expect(told(await ask())).toEqual(before);
  expect(before).toMatchObject([
    { Attributes: { VisibilityTimeout: '77', Policy: expect.stringContaining('label') } },
    { Tags: { one: 'a' } },
  ]);
});

it('the minute after a deletion or a purge continues after a restart', async () => {
  const world = await Restarted.open();
  for (const QueueName of ['deleted', 'purged']) {
    const { QueueUrl } = await world.client.send(new CreateQueueCommand({ QueueName }));
    await world.client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'gone' }));
    if (QueueName === 'deleted') await world.client.send(new DeleteQueueCommand({ QueueUrl }));
    else await world.client.send(new PurgeQueueCommand({ QueueUrl }));
  }
  await world.restart();
  expect(world.sqs.peek('purged')).toEqual([]);
  const QueueUrl = 'http://localhost/000000000000/purged';
  await expect(world.client.send(new CreateQueueCommand({ QueueName: 'deleted' }))).rejects.toThrow(
    'You must wait 60 seconds',
  );
  await expect(world.client.send(new PurgeQueueCommand({ QueueUrl }))).rejects.toThrow(
    'Only one PurgeQueue',
  );
});

it('a FIFO group stays blocked from its first message in flight after a restart', async () => {
  const world = await Restarted.open();
  const Attributes = { FifoQueue: 'True', ContentBasedDeduplication: 'TRUE' };
  const { QueueUrl } = await world.client.send(
    new CreateQueueCommand({ QueueName: 'q.fifo', Attributes }),
  );
  for (const MessageBody of ['1', '2', '3', 'other']) {
    const MessageGroupId = MessageBody === 'other' ? 'b' : 'a';
    const message = { QueueUrl, MessageBody, MessageGroupId };
    await world.client.send(new SendMessageCommand(message));
  }
  const receive = async (MaxNumberOfMessages: number) => {
    const input = { QueueUrl, MaxNumberOfMessages };
    return (await world.client.send(new ReceiveMessageCommand(input))).Messages ?? [];
  };
  const [one, two] = await receive(2);
  const shown = { QueueUrl, ReceiptHandle: one?.ReceiptHandle, VisibilityTimeout: 0 };
  await world.client.send(new ChangeMessageVisibilityCommand(shown));
  await world.restart();
  // The group with a received message follows the other one.
  const bodies = (await receive(10)).map(({ Body }) => Body);
  expect(bodies).toEqual(['other', '1']);
  const gone = { QueueUrl, ReceiptHandle: two?.ReceiptHandle };
  await world.client.send(new DeleteMessageCommand(gone));
  await world.restart();
  expect(await receive(10)).toEqual([]);
});

it('a move task continues after a restart', async () => {
  const world = await Restarted.open();
  const create = async (QueueName: string, Attributes: Record<string, string> = {}) =>
    (await world.client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const dead = await create('dead');
  const SourceArn = 'arn:aws:sqs:us-east-1:000000000000:dead';
  await create('q', {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1 }),
  });
  for (let place = 0; place < 30; place++) {
    await world.client.send(new SendMessageCommand({ QueueUrl: dead, MessageBody: `${place}` }));
  }
  const input = {
    SourceArn,
    DestinationArn: 'arn:aws:sqs:us-east-1:000000000000:q',
    MaxNumberOfMessagesPerSecond: 50,
  };
  await world.client.send(new StartMessageMoveTaskCommand(input));
  await sleep(250);
  await world.restart();
  const soFar = world.sqs.peek('q').length;
  expect(soFar).toBeGreaterThan(0);
  expect(soFar).toBeLessThan(30);
  await vi.waitUntil(() => world.sqs.peek('q').length === 30, { timeout: 5_000 });
  await vi.waitUntil(async () => {
    const told = await world.client.send(new ListMessageMoveTasksCommand({ SourceArn }));
    return told.Results?.[0]?.Status === 'COMPLETED';
  });
  const { Results } = await world.client.send(new ListMessageMoveTasksCommand({ SourceArn }));
  expect(Results).toMatchObject([{ ApproximateNumberOfMessagesMoved: 30 }]);
});

/** Steps that are applied to an SQS with restarts and to one without. */
const step = fc.oneof(
  fc.record({
    does: fc.constant('send' as const),
    group: fc.integer({ min: 0, max: 2 }),
    delay: fc.constantFrom(0, 0, 3),
    text: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  }),
  fc.record({
    does: fc.constant('receive' as const),
    count: fc.integer({ min: 1, max: 10 }),
    seconds: fc.constantFrom(0, 2, 30),
    attempt: fc.constantFrom(undefined, 'one', 'two'),
  }),
  fc.record({ does: fc.constant('delete' as const), which: fc.nat(20) }),
  fc.record({
    does: fc.constant('change' as const),
    which: fc.nat(20),
    seconds: fc.constantFrom(0, 5, 60),
  }),
  fc.record({ does: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ does: fc.constant('restart' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

it.each([false, true])(
  'a restart has no visible effect (FIFO: %s)',
  { timeout: 60_000 },
  async (isFifo) => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const durable = await Restarted.open();
    let round = 0;
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      async (steps) => {
        const memory = new Sqs();
        const name = `q${++round}${isFifo ? '.fifo' : ''}`;
        const kept = new Actor(() => durable.client, name, isFifo);
        const plain = new Actor(() => memoryClient, name, isFifo);
        const memoryClient = createSqsClient(memory);
        await kept.create();
        await plain.create();
        for (const one of steps) {
          // Times are stored to the millisecond, and so is the order in which messages became visible.
          vi.advanceTimersByTime(1);
          if (one.does === 'restart') await durable.restart();
          else if (one.does === 'wait') vi.advanceTimersByTime(one.seconds * 1000);
          else expect(await kept.take(one)).toEqual(await plain.take(one));
          const seen = (sqs: Sqs) =>
            sqs.peek(name).map(({ messageId: _, sentAt: __, ...rest }) => rest);
          expect(seen(durable.sqs)).toEqual(seen(memory));
        }
        await memory.close();
      },
    );
    await fc.assert(property, {
      numRuns: 40,
      interruptAfterTimeLimit: 20_000,
      markInterruptAsFailure: false,
    });
  },
);

/** Applies steps to a queue, and returns each outcome as a text that is the same on every SQS. */
class Actor {
  readonly #client: () => SQSClient;
  readonly #name: string;
  readonly #isFifo: boolean;
  readonly #handles: string[] = [];
  #queueUrl = '';
  #sent = 0;

  constructor(client: () => SQSClient, name: string, isFifo: boolean) {
    this.#client = client;
    this.#name = name;
    this.#isFifo = isFifo;
  }

  async create(): Promise<void> {
    const Attributes = {
      VisibilityTimeout: '10',
      ...(this.#isFifo ? { FifoQueue: 'true', ContentBasedDeduplication: 'true' } : {}),
    };
    const input = { QueueName: this.#name, Attributes };
    const { QueueUrl = '' } = await this.#client().send(new CreateQueueCommand(input));
    this.#queueUrl = QueueUrl;
  }

  async take(one: Exclude<Step, { does: 'restart' | 'wait' }>): Promise<unknown> {
    try {
      return await this.#do(one);
    } catch (error) {
      return (error as Error).name;
    }
  }

  async #do(one: Exclude<Step, { does: 'restart' | 'wait' }>): Promise<unknown> {
    const QueueUrl = this.#queueUrl;
    const client = this.#client();
    const handle = 'which' in one ? this.#handles.at(-1 - one.which) : undefined;
    switch (one.does) {
      case 'send': {
        const { SequenceNumber } = await client.send(
          new SendMessageCommand({
            QueueUrl,
            // Two in a row have the same body, and so the same deduplication id.
            MessageBody: `${this.#sent++ >> 1} ${one.text}`,
            MessageAttributes: {
              bytes: { DataType: 'Binary', BinaryValue: Uint8Array.of(1, one.group) },
            },
            // Which groups of a standard queue are noisy is learned at run time and not stored.
            ...(this.#isFifo
              ? { MessageGroupId: `group-${one.group}` }
              : { DelaySeconds: one.delay }),
          }),
        );
        return SequenceNumber;
      }
      case 'receive': {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: one.count,
            VisibilityTimeout: one.seconds,
            MessageAttributeNames: ['All'],
            MessageSystemAttributeNames: ['All'],
            ...(this.#isFifo && one.attempt ? { ReceiveRequestAttemptId: one.attempt } : {}),
          }),
        );
        for (const { ReceiptHandle = '' } of Messages) this.#handles.push(ReceiptHandle);
        return Messages.map(({ ReceiptHandle: _, MessageId: __, ...rest }) => rest);
      }
      case 'delete':
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: handle }));
        return 'deleted';
      case 'change':
        await client.send(
          new ChangeMessageVisibilityCommand({
            QueueUrl,
            ReceiptHandle: handle,
            VisibilityTimeout: one.seconds,
          }),
        );
        return 'changed';
    }
  }
}
