import { createHash } from 'node:crypto';
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SqsServer, serveSqs } from '../../src/emulator/sqs/index.ts';
import { PROTOCOLS, rawRefusal, rawRequest } from './raw.ts';
import { NO_QUEUE, refusal, TestQueue } from './test-queue.ts';
import { inEveryWorld, uniqueName } from './worlds.ts';

/* Behaviour that was recorded on AWS, and that many emulators lack. */

inEveryWorld('Recorded on AWS', (world) => {
  const client = () => world.client;
  const create = (QueueName: string, Attributes: Record<string, string> = {}) =>
    client().send(new CreateQueueCommand({ QueueName, Attributes }));

  /** One call of each action with a QueueUrl. */
  async function everyAction(QueueUrl: string): Promise<void> {
    const send = (MessageBody: string) =>
      client().send(new SendMessageCommand({ QueueUrl, MessageBody }));
    await send('one');
    const Entries = [{ Id: 'a', MessageBody: 'two' }];
    await client().send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const received = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
    const [first, second] = (await client().send(received)).Messages ?? [];
    const of = { QueueUrl, ReceiptHandle: first?.ReceiptHandle };
    const entry = { Id: 'a', ReceiptHandle: second?.ReceiptHandle };
    await client().send(new ChangeMessageVisibilityCommand({ ...of, VisibilityTimeout: 9 }));
    const changed = await client().send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl,
        Entries: [{ ...entry, VisibilityTimeout: 9 }],
      }),
    );
    await client().send(new DeleteMessageCommand(of));
    const deleted = await client().send(
      new DeleteMessageBatchCommand({ QueueUrl, Entries: [entry] }),
    );
    expect([changed.Failed ?? [], deleted.Failed ?? []]).toEqual([[], []]);
    await client().send(
      new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: '1' } }),
    );
    await client().send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    await client().send(new TagQueueCommand({ QueueUrl, Tags: { a: 'b' } }));
    await client().send(new UntagQueueCommand({ QueueUrl, TagKeys: ['a'] }));
    await client().send(new ListQueueTagsCommand({ QueueUrl }));
    await client().send(new ListDeadLetterSourceQueuesCommand({ QueueUrl }));
    await client().send(new PurgeQueueCommand({ QueueUrl }));
    await client().send(new DeleteQueueCommand({ QueueUrl }));
  }

  it.runIf(world.isLocal)(
    'a QueueUrl may be the bare name, end with a slash, or have a query',
    async () => {
      for (const urlOf of [
        (_: string, name: string) => name,
        (url: string) => `${url}/`,
        (url: string) => `${url}?a=b`,
        (url: string) => `${url}/?`,
        (url: string) => url.replace(/^https?:\/\/[^/]+/, 'https://elsewhere:1'),
      ]) {
        const name = uniqueName();
        const { QueueUrl = '' } = await create(name);
        // These clients do not send requests to the host in a QueueUrl.
        client().config.useQueueUrlAsEndpoint = false;
        await everyAction(urlOf(QueueUrl, name));
      }
    },
  );

  it.runIf(world.isLocal)('a QueueUrl of another shape is no queue', async () => {
    const { name } = await world.queue();
    client().config.useQueueUrlAsEndpoint = false;
    for (const url of [
      `${name}x`,
      `/${name}`,
      `http://localhost/${name}`,
      `http://localhost/000000000000/${name}/more`,
      `http://localhost//000000000000/${name}`,
      `ftp://localhost/000000000000/${name}`,
      'http://localhost/',
      'no such thing',
      `arn:aws:sqs:us-east-1:000000000000:${name}`,
    ]) {
      expect(await refusal(new TestQueue(world, url, name).send('x')), url).toEqual(NO_QUEUE);
    }
  });

  it('FIFO: a message that is visible again is received although a later one is in flight', async () => {
    const queue = await world.fifo();
    await queue.sendIn('a', '1', '2', '3');
    const [one, two] = await queue.receive({ MaxNumberOfMessages: 2 });
    await queue.hide(one ?? {}, 0);
    // Returns messages up to the one in flight, however many are requested.
    expect(await queue.bodies()).toEqual(['1']);
    expect(await queue.bodies({ WaitTimeSeconds: 0 })).toEqual([]);
    await queue.delete(two ?? {});
    expect(await queue.bodies({ WaitTimeSeconds: 0 })).toEqual([]);
  });

  it.runIf(world.isLocal)(
    'FIFO: a message whose timeout ended is received, and the later ones are blocked',
    async () => {
      const queue = await world.fifo();
      await queue.sendIn('a', '1', '2', '3', '4', '5');
      const taken = await queue.receive({ MaxNumberOfMessages: 4, VisibilityTimeout: 10 });
      await queue.hide(taken[2] ?? {}, 100);
      await world.advance(10);
      const again = await queue.receive();
      expect(again.map(({ Body }) => Body)).toEqual(['1', '2']);
      // 4 is visible, but behind 3.
      for (const message of again) await queue.delete(message);
      expect(await queue.bodies()).toEqual([]);
      await queue.delete(taken[2] ?? {});
      expect(await queue.bodies()).toEqual(['4', '5']);
    },
  );

  it.runIf(world.isLocal)('FIFO: a move to the dead-letter queue blocks nothing', async () => {
    const dead = await world.fifo();
    const queue = await world.fifo({
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: await dead.arn(), maxReceiveCount: 1 }),
    });
    await queue.sendIn('a', '1', '2', '3');
    const [one, two] = await queue.receive({ MaxNumberOfMessages: 2 });
    await queue.hide(one ?? {}, 0);
    // 1 moves on, and 3 is still behind 2.
    expect(await queue.bodies()).toEqual([]);
    expect(await dead.bodies()).toEqual(['1']);
    await queue.hide(two ?? {}, 0);
    expect(await queue.bodies()).toEqual(['3']);
  });

  it.runIf(world.isLocal)(
    'FIFO: waiting groups precede groups that are visible again',
    async () => {
      const queue = await world.fifo();
      for (const body of ['a1', 'b1', 'a2', 'c1']) await queue.sendIn(body.slice(0, 1), body);
      const one = { MaxNumberOfMessages: 1 };
      const a1 = await queue.one(one);
      await queue.hide(a1, 0);
      expect(await queue.bodies(one)).toEqual(['b1']);
      expect(await queue.bodies(one)).toEqual(['c1']);
      const again = await queue.one(one);
      expect(again.Body).toBe('a1');
      await queue.sendIn('d', 'd1');
      await queue.delete(again);
      expect(await queue.bodies()).toEqual(['a2', 'd1']);
    },
  );

  it.runIf(world.isLocal)(
    'FIFO: waiting groups precede groups whose timeout ended without a receive',
    async () => {
      const queue = await world.fifo({ VisibilityTimeout: '5' });
      await queue.sendIn('a', 'a1');
      await queue.one();
      await world.advance(6);
      await queue.sendIn('b', 'b1');
      expect(await queue.bodies()).toEqual(['a1', 'b1']);
    },
  );

  it('standard: an earlier receive’s handle hides, in a batch as well', async () => {
    const queue = await world.queue();
    await queue.send('one');
    const older = await queue.one({ VisibilityTimeout: 0 });
    await queue.one();
    await queue.hide(older, 0);
    await queue.one();
    const Entries = [{ Id: 'a', ReceiptHandle: older.ReceiptHandle, VisibilityTimeout: 0 }];
    const input = { QueueUrl: queue.url, Entries };
    const { Failed } = await client().send(new ChangeMessageVisibilityBatchCommand(input));
    expect(Failed ?? []).toEqual([]);
    expect((await queue.one()).MessageId).toBe(older.MessageId);
  });

  it('booleans are accepted in any case', async () => {
    for (const [FifoQueue, ContentBasedDeduplication] of [
      ['True', 'TRUE'],
      ['TRUE', 'False'],
      ['tRue', 'FALSE'],
    ] as const) {
      const name = uniqueName('.fifo');
      const Attributes = { FifoQueue, ContentBasedDeduplication, SqsManagedSseEnabled: 'False' };
      const { QueueUrl = '' } = await create(name, Attributes);
      const queue = new TestQueue(world, QueueUrl, name);
      const told = await queue.attributes();
      expect(told).toMatchObject({
        FifoQueue: 'true',
        ContentBasedDeduplication: ContentBasedDeduplication.toLowerCase(),
        SqsManagedSseEnabled: 'false',
      });
      expect((await create(name, { FifoQueue: 'true' })).QueueUrl).toBe(QueueUrl);
      await queue.set({ FifoQueue, ContentBasedDeduplication: 'True' });
      await client().send(new DeleteQueueCommand({ QueueUrl }));
    }
  });

  it('FIFO parameters are refused on a standard queue', async () => {
    const queue = await world.queue();
    const refused = async (call: Promise<unknown>, name: string, message: string) =>
      expect(await refusal(call)).toEqual({ name, message, status: 400 });
    for (const [name, value] of [
      ['DeduplicationScope', 'queue'],
      ['FifoThroughputLimit', 'perQueue'],
    ] as const) {
      const message = `You can specify the ${name} only when FifoQueue is set to true.`;
      await refused(queue.set({ [name]: value }), 'InvalidAttributeName', message);
      await refused(create(uniqueName(), { [name]: value }), 'InvalidAttributeName', message);
    }
    for (const value of ['true', 'True', 'false']) {
      const message = 'Unknown Attribute FifoQueue.';
      await refused(queue.set({ FifoQueue: value }), 'InvalidAttributeName', message);
    }
    const none = { FifoQueue: 'false' };
    await refused(
      create(uniqueName(), none),
      'InvalidAttributeName',
      'Unknown Attribute FifoQueue.',
    );
    await refused(
      (await world.fifo()).set(none),
      'InvalidAttributeValue',
      'Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.',
    );
  });

  it('a FIFO batch with an entry that lacks its deduplication id is refused whole', async () => {
    const queue = await world.fifo({ ContentBasedDeduplication: 'false' });
    const entry = { MessageBody: 'x', MessageGroupId: 'a' };
    const batch = queue.batch([
      { ...entry, Id: 'one', MessageDeduplicationId: '1' },
      { ...entry, Id: 'two' },
    ]);
    expect(await refusal(batch)).toEqual({
      name: 'InvalidParameterValue',
      message:
        'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
      status: 400,
    });
    expect(await queue.bodies({ WaitTimeSeconds: 0 })).toEqual([]);
  });

  it('an empty Id of an entry is an invalid one, in each batch', async () => {
    const { url: QueueUrl } = await world.queue();
    const entry = { Id: '', ReceiptHandle: 'x' };
    for (const call of [
      client().send(
        new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: '', MessageBody: 'x' }] }),
      ),
      client().send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [entry] })),
      client().send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl,
          Entries: [{ ...entry, VisibilityTimeout: 1 }],
        }),
      ),
    ]) {
      expect(await refusal(call)).toEqual({
        name: 'InvalidBatchEntryId',
        message:
          'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
        status: 400,
      });
    }
  });

  it('attribute names of any alphabet are accepted, with their digest', async () => {
    const queue = await world.queue();
    const value = { DataType: 'String', StringValue: 'v' };
    const MessageAttributes = { 'attr.1øßä': value, 日本: value, Zebra: value, Ärger: value };
    const { MD5OfMessageAttributes } = await queue.send('x', { MessageAttributes });
    const digest = createHash('md5');
    for (const name of Object.keys(MessageAttributes).sort()) {
      for (const [text, kind] of [[name], ['String', 1], ['v']] as const) {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(Buffer.byteLength(text));
        digest.update(length).update(text);
        if (kind) digest.update(Uint8Array.of(kind));
      }
    }
    expect(MD5OfMessageAttributes).toBe(digest.digest('hex'));
    const received = await queue.one({ MessageAttributeNames: ['All'] });
    expect(received.MessageAttributes).toEqual(MessageAttributes);
    expect(received.MD5OfMessageAttributes).toBe(MD5OfMessageAttributes);
    for (const name of ['a§b', 'a!', 'a"', '(', 'a?', 'ä.', '.ä', 'AWS.ä', 'a b', '☃']) {
      const sent = refusal(queue.send('x', { MessageAttributes: { [name]: value } }));
      expect(await sent, name).toMatchObject({ name: 'InvalidParameterValue', status: 400 });
    }
  });

  it.runIf(world.isLocal)(
    'the reuse period of a key is not returned once the key is removed',
    async () => {
      const kms = { KmsMasterKeyId: 'alias/aws/sqs', KmsDataKeyReusePeriodSeconds: '600' };
      for (const reset of [{ KmsMasterKeyId: '' }, { SqsManagedSseEnabled: 'true' }] as Record<
        string,
        string
      >[]) {
        const queue = await world.queue(kms);
        expect(await queue.attributes()).toMatchObject(kms);
        await queue.set(reset);
        const told = await queue.attributes();
        expect(Object.keys(told).filter((name) => name.startsWith('Kms'))).toEqual([]);
        expect(await queue.attributes('KmsDataKeyReusePeriodSeconds')).toEqual({});
      }
    },
  );

  it('empty Tags, TagKeys and Attributes are accepted', async () => {
    const { url: QueueUrl } = await world.queue();
    const missing = (name: string) => ({
      name: 'MissingParameter',
      message: `The request must contain the parameter ${name}.`,
      status: 400,
    });
    const tagged = client().send(new TagQueueCommand({ QueueUrl, Tags: {} }));
    expect(await refusal(tagged)).toEqual(missing('Tags'));
    const set = client().send(new SetQueueAttributesCommand({ QueueUrl, Attributes: {} }));
    expect(await refusal(set)).toEqual(missing('Attributes'));
    const untagged = client().send(new UntagQueueCommand({ QueueUrl, TagKeys: [] }));
    expect(await refusal(untagged)).toEqual({
      name: 'InvalidParameterValue',
      message: 'Tag keys must be between 1 and 128 characters in length.',
      status: 400,
    });
    await create(uniqueName(), {});
  });
});

describe('Recorded on AWS, as it goes over the wire', () => {
  let server: SqsServer;
  beforeAll(async () => {
    server = await serveSqs();
  });
  afterAll(() => server.close());

  const ask = (
    protocol: 'JSON' | 'Query',
    action: string,
    parameters: object,
    path = '/',
    more: Record<string, string> = {},
  ) => {
    const { headers, body } = rawRequest(protocol, action, parameters);
    const url = server.url + path;
    return fetch(url, { method: 'POST', body, headers: { ...headers, ...more } });
  };
  const makeQueue = async () => {
    const QueueName = uniqueName();
    await ask('JSON', 'CreateQueue', { QueueName });
    return { QueueName, path: `/000000000000/${QueueName}` };
  };

  describe.each(PROTOCOLS)('%s', (protocol) => {
    it('ListQueues and CreateQueue are no actions of a queue’s URL', async () => {
      const { path, QueueName } = await makeQueue();
      for (const at of [path, `${path}/`, '/000000000000/none']) {
        for (const action of ['ListQueues', 'CreateQueue']) {
          const refused = await rawRefusal(await ask(protocol, action, { QueueName }, at));
          expect(refused).toMatchObject({
            code: 'InvalidAction',
            status: 400,
            message: `The action ${action} is not valid for this endpoint.`,
          });
        }
      }
      expect((await ask(protocol, 'GetQueueUrl', { QueueName }, path)).status).toBe(200);
    });

    it('QueueUrl may be a bare name, but not a URL of another shape', async () => {
      const { QueueName } = await makeQueue();
      const send = (QueueUrl: string) =>
        ask(protocol, 'SendMessage', { QueueUrl, MessageBody: 'x' });
      expect((await send(QueueName)).status).toBe(200);
      expect(await rawRefusal(await send('http://somewhere/'))).toMatchObject({
        code: 'AWS.SimpleQueueService.NonExistentQueue',
        status: 400,
      });
    });

    it('the header X-Amzn-Trace-Id becomes AWSTraceHeader, which a parameter replaces', async () => {
      const { QueueName: QueueUrl } = await makeQueue();
      const trace = { 'x-amzn-trace-id': 'Root=1-2-3;Sampled=1' };
      const MessageBody = 'x';
      const sent = await ask(protocol, 'SendMessage', { QueueUrl, MessageBody }, '/', trace);
      expect(await sent.text()).not.toContain('MD5OfMessageSystemAttributes');
      const Entries = [{ Id: 'a', MessageBody }];
      await ask(protocol, 'SendMessageBatch', { QueueUrl, Entries }, '/', trace);
      const received = await ask('JSON', 'ReceiveMessage', {
        ...{ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['AWSTraceHeader'] },
      });
      const { Messages } = (await received.json()) as { Messages: { Attributes?: object }[] };
      const AWSTraceHeader = trace['x-amzn-trace-id'];
      expect(Messages.map(({ Attributes }) => Attributes)).toEqual([
        { AWSTraceHeader },
        { AWSTraceHeader },
      ]);
    });
  });

  it('a given AWSTraceHeader takes precedence over the header', async () => {
    const { QueueName: QueueUrl } = await makeQueue();
    const own = { DataType: 'String', StringValue: 'own' };
    const parameters = {
      QueueUrl,
      MessageBody: 'x',
      MessageSystemAttributes: { AWSTraceHeader: own },
    };
    await ask('JSON', 'SendMessage', parameters, '/', { 'x-amzn-trace-id': 'of the header' });
    const names = { QueueUrl, AttributeNames: ['All'] };
    const received = await (await ask('JSON', 'ReceiveMessage', names)).text();
    expect(received).toContain('"AWSTraceHeader":"own"');
  });

  it('a wrong JSON type, at any depth, refuses the whole request before anything else', async () => {
    const QueueUrl = 'not-there';
    const entry = { Id: 'a', MessageBody: 'x' };
    for (const [action, parameters] of [
      ['SendMessage', { QueueUrl, MessageBody: 5 }],
      ['SendMessage', { QueueUrl, MessageBody: 'x', DelaySeconds: '5' }],
      ['SendMessage', { QueueUrl, MessageBody: 'x', DelaySeconds: 1.5 }],
      ['SendMessage', { QueueUrl, MessageBody: ['x'] }],
      ['SendMessage', { QueueUrl, MessageAttributes: [] }],
      ['SendMessage', { QueueUrl, MessageAttributes: { a: 'x' } }],
      ['SendMessage', { QueueUrl, MessageAttributes: { a: { DataType: {} } } }],
      ['SendMessage', { QueueUrl, MessageAttributes: { a: { BinaryValue: 1 } } }],
      ['SendMessage', { QueueUrl, MessageAttributes: { a: { StringListValues: [1] } } }],
      ['SendMessageBatch', { QueueUrl, Entries: {} }],
      ['SendMessageBatch', { QueueUrl, Entries: 'x' }],
      ['SendMessageBatch', { QueueUrl, Entries: [entry, null] }],
      ['SendMessageBatch', { QueueUrl, Entries: [entry, { Id: 'b', MessageBody: 5 }] }],
      ['SendMessageBatch', { QueueUrl, Entries: [entry, { ...entry, Id: 5 }] }],
      ['SendMessageBatch', { QueueUrl, Entries: [{ ...entry, DelaySeconds: true }] }],
      ['SendMessageBatch', { QueueUrl, Entries: [{ ...entry, MessageAttributes: { a: 1 } }] }],
      ['DeleteMessageBatch', { QueueUrl, Entries: [{ Id: 'a', ReceiptHandle: 1 }] }],
      ['ReceiveMessage', { QueueUrl, AttributeNames: 'All' }],
      ['ReceiveMessage', { QueueUrl, AttributeNames: [1] }],
      ['CreateQueue', { QueueName: 'not-made', Attributes: { DelaySeconds: 1 } }],
      ['CreateQueue', { QueueName: 'not-made', tags: { a: null } }],
      ['TagQueue', { QueueUrl, Tags: ['a'] }],
      ['AddPermission', { QueueUrl, Label: 'a', Actions: ['*'], AWSAccountIds: [111111111111] }],
    ] as const) {
      const refused = await rawRefusal(await ask('JSON', action, parameters));
      expect([refused, parameters]).toMatchObject([
        {
          type: 'com.amazon.coral.service#SerializationException',
          code: 'MalformedInput',
          status: 400,
        },
        parameters,
      ]);
    }
    expect(() => server.sqs.peek('not-made')).toThrow('There is no queue');
    // Unknown fields are ignored, and null counts as absent.
    const unknown = { QueueUrl, MessageBody: 'x', DelaySeconds: null, Nonsense: [1] };
    const { code } = await rawRefusal(await ask('JSON', 'SendMessage', unknown));
    expect(code).toBe('AWS.SimpleQueueService.NonExistentQueue');
  });

  it('bytes that are not base64 in an entry refuse the whole batch', async () => {
    const { QueueName: QueueUrl } = await makeQueue();
    const a = { DataType: 'Binary', BinaryValue: '***' };
    const Entries = [
      { Id: 'good', MessageBody: 'x' },
      { Id: 'bad', MessageBody: 'x', MessageAttributes: { a } },
    ];
    for (const protocol of PROTOCOLS) {
      const refused = await rawRefusal(
        await ask(protocol, 'SendMessageBatch', { QueueUrl, Entries }),
      );
      expect(refused).toMatchObject({ code: 'MalformedInput', status: 400 });
    }
    expect(server.sqs.peek(QueueUrl)).toEqual([]);
  });

  it('a GET with Accept: application/json is answered in JSON, its errors too', async () => {
    const { path, QueueName } = await makeQueue();
    const get = async (query: string) => {
      const headers = { accept: 'application/json' };
      const answer = await fetch(`${server.url}${path}?${query}`, { headers });
      expect(answer.headers.get('content-type')).toBe('application/json');
      return { status: answer.status, content: (await answer.json()) as object };
    };
    const metadata = { ResponseMetadata: { RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) } };
    const sent = await get('Action=SendMessage&MessageBody=hello%20there');
    expect(sent).toMatchObject({
      status: 200,
      content: {
        SendMessageResponse: {
          SendMessageResult: { MessageId: expect.any(String) },
          ...metadata,
        },
      },
    });
    const asked = await get('Action=GetQueueAttributes&AttributeName.1=VisibilityTimeout');
    expect(asked.content).toEqual({
      GetQueueAttributesResponse: {
        GetQueueAttributesResult: { Attributes: [{ Name: 'VisibilityTimeout', Value: '30' }] },
        ...metadata,
      },
    });
    const received = await get('Action=ReceiveMessage&AttributeName=ApproximateReceiveCount');
    expect(received.content).toMatchObject({
      ReceiveMessageResponse: {
        ReceiveMessageResult: {
          messages: [
            {
              Body: 'hello there',
              Attributes: [{ Name: 'ApproximateReceiveCount', Value: '1' }],
            },
          ],
        },
      },
    });
    expect((await get('Action=TagQueue&Tag.1.Key=a&Tag.1.Value=b')).content).toEqual({
      TagQueueResponse: metadata,
    });
    const { status, content } = await get('Action=Nonsense');
    expect([status, content]).toMatchObject([
      400,
      { Error: { Code: 'InvalidAction', Type: 'Sender' }, RequestId: expect.any(String) },
    ]);
    expect(QueueName).not.toBe('');
  });

  it('no action is an unknown operation', async () => {
    const { path } = await makeQueue();
    for (const method of ['GET', 'POST']) {
      for (const at of ['/', path]) {
        const answer = await fetch(server.url + at, { method });
        expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
          404,
          'text/xml',
          '<UnknownOperationException/>\n',
        ]);
      }
    }
  });
});
