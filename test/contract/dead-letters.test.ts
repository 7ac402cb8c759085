import {
  CancelMessageMoveTaskCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  ListMessageMoveTasksCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { refusal, type TestQueue } from './test-queue.ts';
import { inEveryWorld, uniqueName, type World } from './worlds.ts';

async function redriveTo(dead: TestQueue, maxReceiveCount: number | string = 1): Promise<string> {
  return JSON.stringify({ deadLetterTargetArn: await dead.arn(), maxReceiveCount });
}

/** A dead-letter queue that received these messages through a source. */
async function deadLetters(world: World, ...bodies: string[]) {
  const dead = await world.queue();
  const source = await world.queue({
    VisibilityTimeout: '0',
    RedrivePolicy: await redriveTo(dead),
  });
  await letDie(source, ...bodies);
  return { dead, source };
}

async function letDie(source: TestQueue, ...bodies: string[]): Promise<void> {
  for (const body of bodies) {
    await source.send(body);
    await source.receive();
    await source.receive();
  }
}

inEveryWorld('Dead letters', (world) => {
  it('a message moves on the next receive, not when its timeout ends [P]', async () => {
    const dead = await world.queue();
    const queue = await world.queue({
      VisibilityTimeout: '1',
      RedrivePolicy: await redriveTo(dead, 2),
    });
    await queue.send('poison');
    for (let receive = 0; receive < 2; receive++) {
      expect(await queue.bodies()).toEqual(['poison']);
      await world.advance(2);
    }
    expect(await dead.bodies()).toEqual([]);
    expect(await queue.bodies()).toEqual([]);
    expect(await dead.bodies()).toEqual(['poison']);
  });

  it('a moved message keeps MessageId, SentTimestamp and its count, and names its source [P]', async () => {
    const dead = await world.queue();
    const queue = await world.queue({
      VisibilityTimeout: '1',
      RedrivePolicy: await redriveTo(dead),
    });
    const MessageAttributes = { a: { DataType: 'String', StringValue: '1' } };
    await queue.send('poison', { MessageAttributes });
    const first = await queue.one();
    expect(first.Attributes?.DeadLetterQueueSourceArn).toBeUndefined();
    await world.advance(2);
    expect(await queue.bodies()).toEqual([]);
    const moved = await dead.one({ MessageAttributeNames: ['All'] });
    expect(moved.MessageId).toBe(first.MessageId);
    expect(moved.MessageAttributes).toMatchObject(MessageAttributes);
    expect(moved.Attributes).toEqual({
      ...first.Attributes,
      ApproximateReceiveCount: '2',
      DeadLetterQueueSourceArn: await queue.arn(),
    });
  });

  it.runIf(world.isLocal)(
    'a moved message of a standard queue expires by its first send [D]',
    async () => {
      const dead = await world.queue({ MessageRetentionPeriod: '60' });
      const queue = await world.queue({
        VisibilityTimeout: '0',
        RedrivePolicy: await redriveTo(dead),
      });
      await queue.send('poison');
      await queue.receive();
      await world.advance(50);
      await queue.receive();
      expect(dead.peek()).toEqual([['poison', 'visible']]);
      await world.advance(10);
      expect(dead.peek()).toEqual([]);
    },
  );

  it.runIf(world.isLocal)('a moved message of a FIFO queue expires by its move [D]', async () => {
    const dead = await world.fifo({ MessageRetentionPeriod: '60' });
    const queue = await world.fifo({
      VisibilityTimeout: '0',
      RedrivePolicy: await redriveTo(dead),
    });
    await queue.sendIn('a', 'poison');
    await queue.receive();
    await world.advance(50);
    await queue.receive();
    await world.advance(59);
    expect(dead.peek()).toEqual([['poison', 'visible']]);
    await world.advance(1);
    expect(dead.peek()).toEqual([]);
  });

  it('a move wakes a receive that waits on the dead-letter queue', async () => {
    const dead = await world.queue();
    const queue = await world.queue({
      VisibilityTimeout: '0',
      RedrivePolicy: await redriveTo(dead),
    });
    await queue.send('poison');
    await queue.receive();
    const wait = dead.bodies({ WaitTimeSeconds: 20 });
    await world.arrived();
    await queue.receive();
    expect(await wait).toEqual(['poison']);
  });

  it('a message stays if its dead-letter queue was deleted', async () => {
    const dead = await world.queue();
    const queue = await world.queue({
      VisibilityTimeout: '0',
      RedrivePolicy: await redriveTo(dead),
    });
    await world.client.send(new DeleteQueueCommand({ QueueUrl: dead.url }));
    await queue.send('poison');
    for (const count of ['1', '2', '3']) {
      const { Attributes } = await queue.one();
      expect(Attributes?.ApproximateReceiveCount).toBe(count);
    }
  });

  it('a bad target or a mismatch of types is an InvalidParameterValue', async () => {
    const queue = await world.queue();
    const fifo = await world.fifo();
    const arn = await queue.arn();
    const policy = (deadLetterTargetArn: unknown, maxReceiveCount: unknown = 1) =>
      JSON.stringify({ deadLetterTargetArn, maxReceiveCount });
    for (const RedrivePolicy of [
      'no JSON',
      '[]',
      '{}',
      JSON.stringify({ deadLetterTargetArn: arn }),
      JSON.stringify({ maxReceiveCount: 1 }),
      policy('nonsense'),
      policy(`${arn}-not`),
      policy(arn, 0),
      policy(arn, 1001),
      policy(arn, 'many'),
      policy(arn, [3]),
      policy(arn, true),
      policy(arn, '0x3'),
      policy(arn, '3e0'),
      policy(arn, '3 '),
      policy(arn, ''),
      policy(arn, { toString: 1 }),
      policy({ toString: 1 }),
      `{"deadLetterTargetArn":"${arn}","maxReceiveCount":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
      policy(await fifo.arn()),
    ]) {
      const made = world.client.send(
        new CreateQueueCommand({ QueueName: uniqueName(), Attributes: { RedrivePolicy } }),
      );
      expect(await refusal(made), RedrivePolicy).toMatchObject({
        name: 'InvalidParameterValue',
        status: 400,
      });
    }
    const changed = refusal(fifo.set({ RedrivePolicy: policy(arn) }));
    expect((await changed).name).toBe('InvalidParameterValue');
  });

  it('a RedriveAllowPolicy that refuses the source is an InvalidParameterValue', async () => {
    const dead = await world.queue();
    const queue = await world.queue();
    const allowed = await world.queue();
    const RedrivePolicy = await redriveTo(dead, '1000');
    for (const policy of [
      { redrivePermission: 'denyAll' },
      { redrivePermission: 'byQueue', sourceQueueArns: [await allowed.arn()] },
    ]) {
      await dead.set({ RedriveAllowPolicy: JSON.stringify(policy) });
      expect((await refusal(queue.set({ RedrivePolicy }))).name).toBe('InvalidParameterValue');
    }
    await allowed.set({ RedrivePolicy });
    await dead.set({ RedriveAllowPolicy: JSON.stringify({ redrivePermission: 'allowAll' }) });
    await queue.set({ RedrivePolicy });
    const arn = await queue.arn();
    const byQueue = (...sourceQueueArns: unknown[]) => ({
      redrivePermission: 'byQueue',
      sourceQueueArns,
    });
    const eleven = Array.from({ length: 11 }, (_, n) => `${arn}-${n}`);
    for (const policy of [
      { redrivePermission: 'maybe' },
      { redrivePermission: ['allowAll'] },
      { redrivePermission: { toString: 1 } },
      { redrivePermission: 'byQueue' },
      { redrivePermission: 'allowAll', sourceQueueArns: [arn] },
      byQueue(),
      byQueue(1, null),
      byQueue('foo'),
      byQueue(...eleven),
    ]) {
      const set = dead.set({ RedriveAllowPolicy: JSON.stringify(policy) });
      expect((await refusal(set)).name, JSON.stringify(policy)).toBe('InvalidParameterValue');
    }
    await dead.set({ RedriveAllowPolicy: JSON.stringify(byQueue(...eleven.slice(1))) });
  });

  it.runIf(world.isLocal)(
    'creating a queue twice returns the same queue, whether its target exists or not',
    async () => {
      const dead = await world.queue();
      const queue = await world.queue({ RedrivePolicy: await redriveTo(dead) });
      const again = (RedrivePolicy: string) =>
        world.client.send(
          new CreateQueueCommand({ QueueName: queue.name, Attributes: { RedrivePolicy } }),
        );
      const same = await redriveTo(dead);
      const other = await redriveTo(dead, 2);
      await world.client.send(new DeleteQueueCommand({ QueueUrl: dead.url }));
      expect((await again(same)).QueueUrl).toBe(queue.url);
      expect((await refusal(again(other))).name).toBe('QueueNameExists');
    },
  );

  it('an empty policy removes the policy', async () => {
    const dead = await world.queue();
    const queue = await world.queue({ RedrivePolicy: await redriveTo(dead) });
    const { RedrivePolicy = '{}' } = await queue.attributes('RedrivePolicy');
    expect(JSON.parse(RedrivePolicy)).toEqual({
      deadLetterTargetArn: await dead.arn(),
      maxReceiveCount: 1,
    });
    await queue.set({ RedrivePolicy: '' });
    expect(await queue.attributes('RedrivePolicy')).toEqual({});
  });
});

inEveryWorld('Move tasks', (world) => {
  const start = async (
    source: TestQueue,
    more: { DestinationArn?: string; MaxNumberOfMessagesPerSecond?: number } = {},
  ) =>
    world.client.send(new StartMessageMoveTaskCommand({ SourceArn: await source.arn(), ...more }));
  const cancel = (TaskHandle: string | undefined) =>
    world.client.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
  const list = async (source: TestQueue, MaxResults?: number) => {
    const command = new ListMessageMoveTasksCommand({ SourceArn: await source.arn(), MaxResults });
    return (await world.client.send(command)).Results ?? [];
  };

  it.runIf(world.isLocal)('a move task returns messages to their source, as new ones', async () => {
    const { dead, source } = await deadLetters(world, '1', '2');
    const other = await world.queue({
      VisibilityTimeout: '0',
      RedrivePolicy: await redriveTo(dead),
    });
    await letDie(other, '3');
    const [before] = await dead.receive({ VisibilityTimeout: 0, MaxNumberOfMessages: 1 });
    await start(dead);
    await world.advance(1);
    expect(dead.peek()).toEqual([]);
    expect(
      source
        .peek()
        .map(([body]) => body)
        .sort(),
    ).toEqual(['1', '2']);
    expect(other.peek()).toEqual([['3', 'visible']]);
    const moved = await source.receive();
    expect(moved.map(({ MessageId }) => MessageId)).not.toContain(before?.MessageId);
    for (const { Attributes } of moved) {
      expect(Attributes?.ApproximateReceiveCount).toBe('1');
      expect(Attributes?.DeadLetterQueueSourceArn).toBeUndefined();
    }
    expect(await list(dead)).toEqual([
      {
        Status: 'COMPLETED',
        SourceArn: await dead.arn(),
        ApproximateNumberOfMessagesMoved: 3,
        ApproximateNumberOfMessagesToMove: 3,
        StartedTimestamp: expect.any(Number),
      },
    ]);
  });

  it.runIf(world.isLocal)('a move task can send all messages to one queue', async () => {
    const { dead, source } = await deadLetters(world, '1', '2');
    const destination = await world.queue();
    const DestinationArn = await destination.arn();
    const wait = destination.bodies({ WaitTimeSeconds: 20, MaxNumberOfMessages: 1 });
    await world.arrived();
    await start(dead, { DestinationArn });
    await world.advance(1);
    expect(await wait).toHaveLength(1);
    expect(destination.peek()).toHaveLength(2);
    expect(source.peek()).toEqual([]);
    expect(await list(dead)).toMatchObject([{ Status: 'COMPLETED', DestinationArn }]);
  });

  it.runIf(world.isLocal)(
    'a move task keeps to its rate of messages a second, until it is cancelled',
    async () => {
      const { dead, source } = await deadLetters(
        world,
        ...Array.from({ length: 25 }, (_, n) => `${n}`),
      );
      const { TaskHandle } = await start(dead, { MaxNumberOfMessagesPerSecond: 10 });
      await world.advance(1);
      expect(source.peek()).toHaveLength(10);
      expect(await list(dead)).toEqual([
        {
          TaskHandle,
          Status: 'RUNNING',
          SourceArn: await dead.arn(),
          MaxNumberOfMessagesPerSecond: 10,
          ApproximateNumberOfMessagesMoved: 10,
          ApproximateNumberOfMessagesToMove: 25,
          StartedTimestamp: expect.any(Number),
        },
      ]);
      expect(await cancel(TaskHandle)).toMatchObject({ ApproximateNumberOfMessagesMoved: 10 });
      await world.advance(5);
      expect(source.peek()).toHaveLength(10);
      expect(await list(dead)).toMatchObject([{ Status: 'CANCELLED' }]);
      expect(await refusal(cancel(TaskHandle))).toEqual({
        name: 'ResourceNotFoundException',
        message: 'Task does not exist.',
        status: 404,
      });
    },
  );

  it.runIf(world.isLocal)(
    'a move task’s rate is at most 500 a second, which is the default',
    async () => {
      const { dead, source } = await deadLetters(world);
      const bodies = Array.from({ length: 60 }, (_, n) => `${n}`);
      for (let at = 0; at < 60; at += 10) {
        await dead.batch(
          bodies.slice(at, at + 10).map((body) => ({ Id: body, MessageBody: body })),
        );
      }
      await start(dead, { DestinationArn: await source.arn() });
      await world.advance(0.1);
      expect(source.peek()).toHaveLength(50);
      await world.advance(0.1);
      expect(source.peek()).toHaveLength(60);
      for (const MaxNumberOfMessagesPerSecond of [0, 501]) {
        const { name } = await refusal(start(dead, { MaxNumberOfMessagesPerSecond }));
        expect(name).toBe('InvalidParameterValue');
      }
    },
  );

  it('a queue has one running move task at a time', async () => {
    const { dead, source } = await deadLetters(world);
    await dead.send('1');
    const DestinationArn = await source.arn();
    const { TaskHandle } = await start(dead, { DestinationArn, MaxNumberOfMessagesPerSecond: 1 });
    expect(await refusal(start(dead, { DestinationArn }))).toEqual({
      name: 'InvalidParameterValue',
      message:
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      status: 400,
    });
    await cancel(TaskHandle);
  });

  it.runIf(world.isLocal)('the latest move tasks are listed: one, or at most ten', async () => {
    const { dead } = await deadLetters(world);
    for (let task = 1; task <= 11; task++) {
      await start(dead, { MaxNumberOfMessagesPerSecond: task });
      await world.advance(2);
    }
    const rates = async (count?: number) =>
      (await list(dead, count)).map((task) => task.MaxNumberOfMessagesPerSecond);
    expect(await rates()).toEqual([11]);
    expect(await rates(3)).toEqual([11, 10, 9]);
    expect(await rates(10)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    for (const count of [0, 11]) {
      expect((await refusal(list(dead, count))).name).toBe('InvalidParameterValue');
    }
  });

  it.runIf(world.isLocal)(
    'a queue does not list move tasks of an earlier queue of its name',
    async () => {
      const { dead, source } = await deadLetters(world, 'a');
      const { TaskHandle } = await start(dead, { DestinationArn: await source.arn() });
      await world.client.send(new DeleteQueueCommand({ QueueUrl: dead.url }));
      await world.advance(61);
      await world.client.send(new CreateQueueCommand({ QueueName: dead.name }));
      expect(await list(dead, 10)).toEqual([]);
      expect((await refusal(cancel(TaskHandle))).name).toBe('ResourceNotFoundException');
      await start(dead);
      expect(await list(dead, 10)).toHaveLength(1);
    },
  );

  it.runIf(world.isLocal)('a message without a known source fails the move task', async () => {
    const { dead } = await deadLetters(world);
    await dead.send('sent here');
    await start(dead);
    await world.advance(1);
    expect(await list(dead)).toMatchObject([
      { Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' },
    ]);
    expect(dead.peek()).toEqual([['sent here', 'visible']]);
  });

  it('the source of a move task must be a dead-letter queue', async () => {
    const queue = await world.queue();
    expect(await refusal(start(queue))).toEqual({
      name: 'InvalidParameterValue',
      message: 'Source queue must be configured as a Dead Letter Queue.',
      status: 400,
    });
    expect(await list(queue)).toEqual([]);
  });

  it('source and destination of a move task must exist', async () => {
    const { dead } = await deadLetters(world);
    const missing = {
      name: 'ResourceNotFoundException',
      message: "The resource that you specified for the SourceArn parameter doesn't exist.",
      status: 404,
    };
    const SourceArn = `${await dead.arn()}-not`;
    for (const command of [
      new StartMessageMoveTaskCommand({ SourceArn }),
      new ListMessageMoveTasksCommand({ SourceArn }) as unknown as StartMessageMoveTaskCommand,
    ]) {
      expect(await refusal(world.client.send(command))).toEqual(missing);
    }
    const { name } = await refusal(start(dead, { DestinationArn: SourceArn }));
    expect(name).toBe('ResourceNotFoundException');
    expect((await refusal(start(dead, { DestinationArn: await dead.arn() }))).name).toBe(
      'InvalidParameterValue',
    );
    expect((await refusal(cancel('nonsense'))).status).toBe(400);
  });
});
