import {
  AddPermissionCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  RemovePermissionCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { badValue, NO_QUEUE, refusal, type TestQueue } from './test-queue.ts';
import { inEveryWorld, uniqueName } from './worlds.ts';

inEveryWorld('Queues', (world) => {
  const create = (QueueName: string, Attributes: Record<string, string> = {}) =>
    world.client.send(new CreateQueueCommand({ QueueName, Attributes }));
  const list = (more: ListQueuesCommand['input']) => world.client.send(new ListQueuesCommand(more));

  it('a standard queue has default attributes, with SSE on [P]', async () => {
    const queue = await world.queue();
    const attributes = await queue.attributes();
    expect(attributes).toEqual({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesDelayed: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
      CreatedTimestamp: expect.stringMatching(/^\d{10}$/),
      DelaySeconds: '0',
      LastModifiedTimestamp: attributes.CreatedTimestamp,
      MaximumMessageSize: '1048576',
      MessageRetentionPeriod: '345600',
      QueueArn: expect.stringMatching(new RegExp(`^arn:aws:sqs:[a-z0-9-]+:\\d{12}:${queue.name}$`)),
      ReceiveMessageWaitTimeSeconds: '0',
      SqsManagedSseEnabled: 'true',
      VisibilityTimeout: '30',
    });
  });

  it('a FIFO queue has four more default attributes', async () => {
    const queue = await world.queue({ FifoQueue: 'true' });
    const standard = await (await world.queue()).attributes();
    const attributes = await queue.attributes();
    expect(
      Object.keys(attributes)
        .filter((name) => !(name in standard))
        .sort(),
    ).toEqual([
      'ContentBasedDeduplication',
      'DeduplicationScope',
      'FifoQueue',
      'FifoThroughputLimit',
    ]);
    expect(attributes).toMatchObject({
      ContentBasedDeduplication: 'false',
      DeduplicationScope: 'queue',
      FifoQueue: 'true',
      FifoThroughputLimit: 'perQueue',
    });
  });

  it('attributes are checked against their ranges, both ends included', async () => {
    const queue = await world.queue();
    for (const [name, min, max] of [
      ['DelaySeconds', 0, 900],
      ['KmsDataKeyReusePeriodSeconds', 60, 86_400],
      ['MaximumMessageSize', 1024, 1_048_576],
      ['MessageRetentionPeriod', 60, 1_209_600],
      ['ReceiveMessageWaitTimeSeconds', 0, 20],
      ['VisibilityTimeout', 0, 43_200],
    ] as const) {
      for (const value of [min, max]) {
        await queue.set({ [name]: String(value) });
        if (world.isLocal) expect(await queue.attributes(name)).toEqual({ [name]: String(value) });
      }
      for (const value of [min - 1, max + 1, 'many']) {
        expect(await refusal(queue.set({ [name]: String(value) })), name).toEqual({
          name: 'InvalidAttributeValue',
          message: `Invalid value for the parameter ${name}.`,
          status: 400,
        });
      }
    }
  });

  it('a key’s id has no control characters', async () => {
    const made = create(uniqueName(), { KmsMasterKeyId: 'a\u0001' });
    expect((await refusal(made)).name).toBe('InvalidAttributeValue');
  });

  it('other attributes are checked against their allowed values', async () => {
    const fifo = await world.fifo();
    const queue = await world.queue();
    for (const [of, change] of [
      [fifo, { ContentBasedDeduplication: 'maybe' }],
      [fifo, { DeduplicationScope: 'group' }],
      [fifo, { FifoThroughputLimit: 'none' }],
      [fifo, { FifoThroughputLimit: 'perMessageGroupId' }],
      [queue, { SqsManagedSseEnabled: 'maybe' }],
      [queue, { Policy: 'no JSON' }],
    ] as [TestQueue, Record<string, string>][]) {
      expect((await refusal(of.set(change))).name).toBe('InvalidAttributeValue');
    }
    for (const name of ['ContentBasedDeduplication', 'Nonsense', 'toString', 'QueueArn']) {
      expect(await refusal(queue.set({ [name]: 'true' }))).toEqual({
        name: 'InvalidAttributeName',
        message: `Unknown Attribute ${name}.`,
        status: 400,
      });
    }
    await fifo.set({
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
    });
  });

  it.runIf(world.isLocal)('a changed attribute applies from the next call on', async () => {
    const queue = await world.queue();
    const { CreatedTimestamp } = await queue.attributes();
    await world.advance(10);
    await queue.set({ VisibilityTimeout: '5', DelaySeconds: '3' });
    const changed = await queue.attributes();
    expect(changed).toMatchObject({ CreatedTimestamp, VisibilityTimeout: '5', DelaySeconds: '3' });
    expect(Number(changed.LastModifiedTimestamp)).toBe(Number(CreatedTimestamp) + 10);
    await queue.send('one');
    expect(await queue.bodies()).toEqual([]);
    await world.advance(3);
    expect(await queue.bodies()).toEqual(['one']);
    await world.advance(5);
    expect(await queue.bodies()).toEqual(['one']);
  });

  it('one kind of encryption replaces the other', async () => {
    const queue = await world.queue({ KmsMasterKeyId: 'alias/aws/sqs' });
    expect(await queue.attributes()).toMatchObject({
      KmsMasterKeyId: 'alias/aws/sqs',
      KmsDataKeyReusePeriodSeconds: '300',
      SqsManagedSseEnabled: 'false',
    });
    const both = { KmsMasterKeyId: 'alias/aws/sqs', SqsManagedSseEnabled: 'true' };
    expect((await refusal(queue.set(both))).status).toBe(400);
  });

  it('only requested attributes are returned', async () => {
    const queue = await world.queue();
    expect(await queue.attributes('DelaySeconds', 'Policy')).toEqual({ DelaySeconds: '0' });
    expect(await queue.attributes('RedrivePolicy')).toEqual({});
  });

  it('creating a queue twice returns the same queue, and is refused with other attributes', async () => {
    const queue = await world.queue({ VisibilityTimeout: '31' });
    for (const same of [{}, { VisibilityTimeout: '31' }, { DelaySeconds: '0' }]) {
      expect((await create(queue.name, same)).QueueUrl).toBe(queue.url);
    }
    expect(await refusal(create(queue.name, { VisibilityTimeout: '30' }))).toEqual({
      name: 'QueueNameExists',
      message:
        'A queue already exists with the same name and a different value for attribute VisibilityTimeout',
      status: 400,
    });
  });

  it('names are of 1 to 80 certain characters, and a FIFO queue’s ends with .fifo', async () => {
    for (const name of ['a b', 'a.b', 'é', 'a'.repeat(81), 'a.fifo']) {
      expect(await refusal(create(name)), name).toMatchObject({
        name: 'InvalidParameterValue',
        message:
          'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
      });
    }
    for (const name of ['a', 'a.b.fifo', `${'a'.repeat(76)}.fifo`]) {
      const fifo = refusal(create(name, { FifoQueue: 'true' }));
      expect(await fifo, name).toMatchObject({ name: 'InvalidParameterValue', status: 400 });
    }
    expect(await refusal(create(''))).toMatchObject({ status: 400 });
    if (!world.isLocal) return;
    await create('a'.repeat(80));
    await create(`${'a'.repeat(75)}.fifo`, { FifoQueue: 'true' });
  });

  it('a queue is found by its name', async () => {
    const queue = await world.queue();
    const find = (QueueName: string, QueueOwnerAWSAccountId?: string) =>
      world.client.send(new GetQueueUrlCommand({ QueueName, QueueOwnerAWSAccountId }));
    expect((await find(queue.name)).QueueUrl).toBe(queue.url);
    expect(new URL(queue.url).pathname).toMatch(new RegExp(`^/\\d{12}/${queue.name}$`));
    expect(await refusal(find(uniqueName()))).toEqual(NO_QUEUE);
    if (world.isLocal) expect(await refusal(find(queue.name, '111111111111'))).toEqual(NO_QUEUE);
  });

  it('every action on a missing queue fails with QueueDoesNotExist', async () => {
    const queue = await world.queue();
    const none = Object.assign(Object.create(queue), { url: `${queue.url}-not` }) as TestQueue;
    for (const call of [
      none.send('x'),
      none.receive(),
      none.attributes(),
      none.purge(),
      none.set({ DelaySeconds: '1' }),
      none.batch([{ Id: 'a', MessageBody: 'x' }]),
    ]) {
      expect(await refusal(call)).toEqual(NO_QUEUE);
    }
  });

  it('queues are listed by prefix, page by page', async () => {
    const QueueNamePrefix = uniqueName();
    const names = ['a', 'b', 'c', 'd', 'e'].map((end) => `${QueueNamePrefix}-${end}`);
    const urls: string[] = [];
    for (const name of names) urls.push((await create(name)).QueueUrl ?? '');
    if (world.isLocal) {
      const all = await list({ QueueNamePrefix });
      expect(all.QueueUrls).toEqual(urls);
      expect(all.NextToken).toBeUndefined();
      const pages: (string[] | undefined)[] = [];
      let NextToken: string | undefined;
      do {
        const page = await list({ QueueNamePrefix, MaxResults: 2, NextToken });
        pages.push(page.QueueUrls);
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      expect(pages).toEqual([urls.slice(0, 2), urls.slice(2, 4), urls.slice(4)]);
      // The page holds all queues, so there is no further page.
      expect((await list({ QueueNamePrefix, MaxResults: 5 })).NextToken).toBeUndefined();
    }
    for (const QueueUrl of urls) await world.client.send(new DeleteQueueCommand({ QueueUrl }));
    expect((await list({ QueueNamePrefix: uniqueName() })).QueueUrls ?? []).toEqual([]);
    for (const MaxResults of [0, 1001]) {
      expect((await refusal(list({ MaxResults }))).name).toBe('InvalidParameterValue');
    }
  });

  it.runIf(world.isLocal)('a page’s token is valid only for its own list', async () => {
    const prefix = uniqueName();
    for (const end of ['a', 'b']) await create(`${prefix}-${end}`);
    const all = { QueueNamePrefix: prefix, MaxResults: 1 };
    const { NextToken } = await list(all);
    expect((await list({ ...all, NextToken })).QueueUrls).toHaveLength(1);
    const { url: QueueUrl } = await world.queue();
    const sources = (token: string | undefined) =>
      world.client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl, NextToken: token }));
    for (const call of [
      list({ ...all, NextToken: 'junk' }),
      list({ NextToken: 'junk' }),
      list({ ...all, NextToken: `${NextToken}x` }),
      list({ QueueNamePrefix: prefix.slice(0, -1), MaxResults: 1, NextToken }),
      sources('x'),
      sources(NextToken),
    ]) {
      expect((await refusal(call)).name).toBe('InvalidParameterValue');
    }
  });

  it('a dead-letter queue’s sources are listed, page by page', async () => {
    const dead = await world.queue();
    const sources = (more: { MaxResults?: number; NextToken?: string | undefined } = {}) =>
      world.client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead.url, ...more }));
    expect((await sources()).queueUrls ?? []).toEqual([]);
    const RedrivePolicy = JSON.stringify({
      deadLetterTargetArn: await dead.arn(),
      maxReceiveCount: 3,
    });
    const urls: string[] = [];
    for (let n = 0; n < 3; n++) urls.push((await world.queue({ RedrivePolicy })).url);
    expect((await sources()).queueUrls?.sort()).toEqual(urls.sort());
    const first = await sources({ MaxResults: 2 });
    expect(first.queueUrls).toHaveLength(2);
    const second = await sources({ MaxResults: 2, NextToken: first.NextToken });
    expect(second.NextToken).toBeUndefined();
    expect([...(first.queueUrls ?? []), ...(second.queueUrls ?? [])].sort()).toEqual(urls);
  });

  it('tags are added, replaced, listed and removed', async () => {
    const queue = await world.queue({}, { one: '1', two: '2' });
    const QueueUrl = queue.url;
    const tags = async () =>
      (await world.client.send(new ListQueueTagsCommand({ QueueUrl }))).Tags ?? {};
    expect(await tags()).toEqual({ one: '1', two: '2' });
    await world.client.send(new TagQueueCommand({ QueueUrl, Tags: { two: 'zwei', three: '' } }));
    expect(await tags()).toEqual({ one: '1', two: 'zwei', three: '' });
    await world.client.send(new UntagQueueCommand({ QueueUrl, TagKeys: ['one', 'three', 'none'] }));
    expect(await tags()).toEqual({ two: 'zwei' });
    await world.client.send(new UntagQueueCommand({ QueueUrl, TagKeys: ['two'] }));
    expect(await tags()).toEqual({});
  });

  it('a queue has at most fifty tags, of 128 and 256 characters', async () => {
    const { url: QueueUrl } = await world.queue();
    const tag = (Tags: Record<string, string>) =>
      world.client.send(new TagQueueCommand({ QueueUrl, Tags }));
    const of = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`tag${n}`, '']));
    for (const tags of [{ ['k'.repeat(129)]: '' }, { k: 'v'.repeat(257) }, of(51)]) {
      expect((await refusal(tag(tags))).name).toBe('InvalidParameterValue');
    }
    await tag({ ['k'.repeat(128)]: 'v'.repeat(256), ...of(49) });
    expect((await refusal(tag({ another: '' }))).name).toBe('InvalidParameterValue');
  });

  it('tags have neither AWS’s own names nor control characters', async () => {
    const { url: QueueUrl } = await world.queue();
    for (const Tags of [{ 'aws:x': '' }, { 'AWS:x': '' }, { 'a\u0001': '' }, { a: '\u0001' }]) {
      const tagged = world.client.send(new TagQueueCommand({ QueueUrl, Tags }));
      expect((await refusal(tagged)).name).toBe('InvalidParameterValue');
    }
  });

  it('a queue whose creation is refused does not exist', async () => {
    const QueueName = uniqueName();
    const tags = { ['k'.repeat(200)]: 'v' };
    const created = world.client.send(new CreateQueueCommand({ QueueName, tags }));
    expect((await refusal(created)).name).toBe('InvalidParameterValue');
    const found = world.client.send(new GetQueueUrlCommand({ QueueName }));
    expect(await refusal(found)).toEqual(NO_QUEUE);
  });

  const add = (queue: TestQueue, Label: string, Actions: string[], ...AWSAccountIds: string[]) =>
    world.client.send(
      new AddPermissionCommand({ QueueUrl: queue.url, Label, Actions, AWSAccountIds }),
    );
  const remove = (queue: TestQueue, Label: string) =>
    world.client.send(new RemovePermissionCommand({ QueueUrl: queue.url, Label }));

  it.runIf(world.isLocal)('permissions are statements of the queue’s policy', async () => {
    const queue = await world.queue();
    const Resource = await queue.arn();
    await add(queue, 'one', ['SendMessage'], '111111111111');
    await add(queue, 'two', ['SendMessage', 'ReceiveMessage'], '111111111111', '222222222222');
    const { Policy = '' } = await queue.attributes('Policy');
    const one = {
      Sid: 'one',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111111111111:root' },
      Action: 'SQS:SendMessage',
      Resource,
    };
    const two = {
      Sid: 'two',
      Effect: 'Allow',
      Principal: {
        AWS: ['arn:aws:iam::111111111111:root', 'arn:aws:iam::222222222222:root'],
      },
      Action: ['SQS:SendMessage', 'SQS:ReceiveMessage'],
      Resource,
    };
    const head = { Version: '2008-10-17', Id: `${Resource}/SQSDefaultPolicy` };
    expect(JSON.parse(Policy)).toEqual({ ...head, Statement: [one, two] });
    await remove(queue, 'one');
    const left = await queue.attributes('Policy');
    expect(JSON.parse(left.Policy ?? '')).toEqual({ ...head, Statement: [two] });
    await remove(queue, 'two');
    expect(await queue.attributes('Policy')).toEqual({});
  });

  it.runIf(world.isLocal)('a label can be added once and removed once', async () => {
    const queue = await world.queue();
    await add(queue, 'one', ['*'], '111111111111');
    expect(await refusal(add(queue, 'one', ['*'], '111111111111'))).toEqual(
      badValue('Label', 'one', 'Already exists.'),
    );
    await add(queue, 'two', ['*'], '111111111111');
    await remove(queue, 'one');
    expect(await refusal(remove(queue, 'one'))).toEqual(
      badValue('Label', 'one', "can't find label on existing policy."),
    );
    await remove(queue, 'two');
    for (const label of ['one', 'two']) {
      expect(await refusal(remove(queue, label))).toEqual(
        badValue('Label', label, "can't find label."),
      );
    }
  });

  it.runIf(world.isLocal)(
    'actions that cannot be shared are refused, and so is a 21st statement',
    async () => {
      const queue = await world.queue();
      for (const call of [
        add(queue, 'a b', ['SendMessage'], '111111111111'),
        add(queue, 'a', ['CreateQueue'], '111111111111'),
        add(queue, 'a', ['SendMessage'], '1234'),
      ]) {
        expect(await refusal(call)).toMatchObject({ name: 'InvalidParameterValue', status: 400 });
      }
      for (const call of [
        add(queue, 'a', [], '111111111111'),
        add(queue, 'a', ['SendMessage']),
        add(queue, '', ['SendMessage'], '111111111111'),
      ]) {
        expect((await refusal(call)).name).toBe('MissingParameter');
      }
      for (let n = 0; n < 20; n++) await add(queue, `label${n}`, ['SendMessage'], '111111111111');
      expect(await refusal(add(queue, 'more', ['SendMessage'], '111111111111'))).toMatchObject({
        name: 'OverLimit',
        status: 403,
      });
    },
  );

  it('a statement has at most seven actions', async () => {
    const queue = await world.queue();
    const actions = [
      'ChangeMessageVisibility',
      'DeleteMessage',
      'GetQueueAttributes',
      'GetQueueUrl',
      'ListDeadLetterSourceQueues',
      'PurgeQueue',
      'ReceiveMessage',
      'SendMessage',
    ];
    expect(await refusal(add(queue, 'eight', actions, '111111111111'))).toEqual({
      name: 'OverLimit',
      message: '8 Actions were found, maximum allowed is 7.',
      status: 403,
    });
    if (world.isLocal) await add(queue, 'seven', actions.slice(1), '111111111111');
  });

  it('a policy is an object, of statements that are, in 8,192 bytes', async () => {
    const queue = await world.queue();
    const deep = `${'['.repeat(4_000)}${']'.repeat(4_000)}`;
    for (const Policy of [
      'null',
      '5',
      '"x"',
      '[]',
      'true',
      '{"Statement":[null]}',
      '{"Statement":null}',
      '{"Statement":"x"}',
      `{"Statement":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
      `{"x":${deep.repeat(2)}}`,
      JSON.stringify({ Id: 'x'.repeat(8_192), Statement: [] }),
    ]) {
      const refused = { name: 'InvalidAttributeValue', status: 400 };
      expect(await refusal(queue.set({ Policy })), Policy.slice(0, 50)).toMatchObject(refused);
      const made = create(uniqueName(), { Policy });
      expect(await refusal(made), Policy.slice(0, 50)).toMatchObject(refused);
    }
    if (!world.isLocal) return;
    await queue.set({ Policy: `{"Statement":[],"Id":${deep}}` });
    await add(queue, 'one', ['SendMessage'], '111111111111');
    await remove(queue, 'one');
    await queue.set({ Policy: '{"Statement":{"Sid":"alone"}}' });
    await remove(queue, 'alone');
  });

  it('a policy is stored unchanged, and removed by an empty one', async () => {
    const queue = await world.queue();
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'tls',
          Effect: 'Deny',
          Principal: '*',
          Action: 'sqs:*',
          Resource: await queue.arn(),
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    });
    await queue.set({ Policy });
    expect(JSON.parse((await queue.attributes('Policy')).Policy ?? '')).toEqual(JSON.parse(Policy));
    await queue.set({ Policy: '' });
    expect(await queue.attributes('Policy')).toEqual({});
  });

  it.runIf(world.isLocal)(
    'a purge removes all messages: visible, delayed and in flight',
    async () => {
      const queue = await world.queue();
      for (const [body, DelaySeconds] of [['in flight'], ['visible'], ['delayed', 60]] as const) {
        await queue.send(body, { DelaySeconds });
      }
      const message = (await queue.receive({ MaxNumberOfMessages: 1 }))[0] ?? {};
      await queue.purge();
      expect(queue.peek()).toEqual([]);
      await queue.delete(message);
      await queue.send('after');
      expect(await queue.bodies()).toEqual(['after']);
    },
  );

  it('one purge is allowed in 60 s', async () => {
    const queue = await world.queue();
    await queue.purge();
    expect(await refusal(queue.purge())).toEqual({
      name: 'PurgeQueueInProgress',
      message: `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
      status: 403,
    });
    if (!world.isLocal) return;
    await world.advance(59);
    expect((await refusal(queue.purge())).name).toBe('PurgeQueueInProgress');
    await world.advance(1);
    await queue.purge();
  });

  it.runIf(world.isLocal)('a deleted queue’s name is free after 60 s', async () => {
    const queue = await world.queue();
    await queue.send('x');
    const message = await queue.one();
    await world.client.send(new DeleteQueueCommand({ QueueUrl: queue.url }));
    expect(await refusal(queue.send('x'))).toEqual(NO_QUEUE);
    const recent = {
      name: 'QueueDeletedRecently',
      message:
        'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
      status: 400,
    };
    await world.advance(59);
    expect(await refusal(create(queue.name))).toEqual(recent);
    await world.advance(1);
    await create(queue.name);
    expect(await queue.bodies()).toEqual([]);
    // A new queue of the same name: the handle is not valid for it.
    expect((await refusal(queue.delete(message))).name).toBe('ReceiptHandleIsInvalid');
  });
});

it('the 60 s after DeleteQueue and PurgeQueue can be switched off', async () => {
  const client = createSqsClient(new Sqs({ strictTiming: false }));
  const create = new CreateQueueCommand({ QueueName: 'again' });
  const { QueueUrl } = await client.send(create);
  for (let times = 0; times < 2; times++) await client.send(new PurgeQueueCommand({ QueueUrl }));
  await client.send(new DeleteQueueCommand({ QueueUrl }));
  expect((await client.send(create)).QueueUrl).toBe(QueueUrl);
});
