import {
  AddPermissionCommand,
  BatchEntryIdsNotDistinct,
  CancelMessageMoveTaskCommand,
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  EmptyBatchRequest,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  PurgeQueueInProgress,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  RemovePermissionCommand,
  ResourceNotFoundException,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
  TagQueueCommand,
  UnsupportedOperation,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs';
import { AwsQueryProtocol } from '@aws-sdk/core/protocols';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSqsClient, type SqsServer, serveSqs } from '../../../src/emulator/sqs/index.ts';

let server: SqsServer;
let inProcess: SQSClient;
let overPort: SQSClient;
let count = 0;
let QueueName = '';
let QueueUrl = '';

beforeAll(async () => {
  server = await serveSqs();
  inProcess = createSqsClient(server.sqs, { protocol: AwsQueryProtocol });
  overPort = new SQSClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    protocol: AwsQueryProtocol,
  });
});
afterAll(() => server.close());

beforeEach(async () => {
  QueueName = `queue-${++count}`;
  ({ QueueUrl = '' } = await overPort.send(new CreateQueueCommand({ QueueName })));
});

describe.each([
  ['in process', () => inProcess],
  ['over a port', () => overPort],
])('every action, by the SDK %s', (_, make) => {
  let client: SQSClient;
  beforeAll(() => {
    client = make();
  });
  const send = async (Body: string) => {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: Body }));
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
    return Messages?.[0]?.ReceiptHandle;
  };
  const arnOf = async (url: string | undefined) => {
    const asked = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] });
    return (await client.send(asked)).Attributes?.QueueArn ?? '';
  };

  it('queues', async () => {
    const name = `${QueueName}-more`;
    const made = await client.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: { VisibilityTimeout: '31', DelaySeconds: '1' },
        tags: { team: 'a & b', empty: '' },
      }),
    );
    expect(made.QueueUrl).toMatch(new RegExp(`/000000000000/${name}$`));
    const found = await client.send(new GetQueueUrlCommand({ QueueName: name }));
    expect(found.QueueUrl).toBe(made.QueueUrl);
    const listed = await client.send(new ListQueuesCommand({ QueueNamePrefix: QueueName }));
    expect(listed.QueueUrls).toHaveLength(2);
    const first = await client.send(
      new ListQueuesCommand({ QueueNamePrefix: QueueName, MaxResults: 1 }),
    );
    expect(first.QueueUrls).toHaveLength(1);
    const { NextToken } = first;
    const rest = await client.send(
      new ListQueuesCommand({ QueueNamePrefix: QueueName, MaxResults: 1, NextToken }),
    );
    expect(rest).toMatchObject({ QueueUrls: [made.QueueUrl] });
    const none = await client.send(new ListQueuesCommand({ QueueNamePrefix: 'none' }));
    expect(none.QueueUrls).toBeUndefined();

    const of = { QueueUrl: made.QueueUrl };
    await client.send(
      new SetQueueAttributesCommand({ ...of, Attributes: { VisibilityTimeout: '32' } }),
    );
    const attributes = await client.send(
      new GetQueueAttributesCommand({
        ...of,
        AttributeNames: ['VisibilityTimeout', 'DelaySeconds'],
      }),
    );
    expect(attributes.Attributes).toEqual({ VisibilityTimeout: '32', DelaySeconds: '1' });

    await client.send(new TagQueueCommand({ ...of, Tags: { more: '<1>' } }));
    await client.send(new UntagQueueCommand({ ...of, TagKeys: ['empty', 'none'] }));
    const { Tags } = await client.send(new ListQueueTagsCommand(of));
    expect(Tags).toEqual({ team: 'a & b', more: '<1>' });

    await client.send(
      new AddPermissionCommand({
        ...of,
        Label: 'others',
        AWSAccountIds: ['111111111111', '222222222222'],
        Actions: ['SendMessage', 'ReceiveMessage'],
      }),
    );
    const policy = await client.send(
      new GetQueueAttributesCommand({ ...of, AttributeNames: ['Policy'] }),
    );
    expect(JSON.parse(policy.Attributes?.Policy ?? '')).toMatchObject({
      Statement: [
        {
          Sid: 'others',
          Principal: {
            AWS: ['arn:aws:iam::111111111111:root', 'arn:aws:iam::222222222222:root'],
          },
          Action: ['SQS:SendMessage', 'SQS:ReceiveMessage'],
        },
      ],
    });
    await client.send(new RemovePermissionCommand({ ...of, Label: 'others' }));

    await client.send(new PurgeQueueCommand(of));
    await client.send(new DeleteQueueCommand(of));
    await expect(client.send(new PurgeQueueCommand(of))).rejects.toThrow(QueueDoesNotExist);
  });

  it('messages', async () => {
    const sent = await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'x',
        MessageGroupId: 'tenant',
        MessageAttributes: {
          text: { DataType: 'String', StringValue: 'ü' },
          bytes: { DataType: 'Binary.raw', BinaryValue: Uint8Array.of(0, 255, 1) },
        },
        MessageSystemAttributes: {
          AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-5759e988-bd862e3fe1be46' },
        },
      }),
    );
    const { Messages } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 20,
        WaitTimeSeconds: 1,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['AWSTraceHeader', 'MessageGroupId'],
      }),
    );
    expect(Messages).toEqual([
      {
        MessageId: sent.MessageId,
        ReceiptHandle: expect.any(String),
        Body: 'x',
        MD5OfBody: sent.MD5OfMessageBody,
        Attributes: { AWSTraceHeader: 'Root=1-5759e988-bd862e3fe1be46', MessageGroupId: 'tenant' },
        MessageAttributes: {
          text: { DataType: 'String', StringValue: 'ü' },
          bytes: { DataType: 'Binary.raw', BinaryValue: Uint8Array.of(0, 255, 1) },
        },
        MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
      },
    ]);
    const ReceiptHandle = Messages?.[0]?.ReceiptHandle;
    await client.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
    );
    const again = await client.send(new ReceiveMessageCommand({ QueueUrl }));
    const handle = again.Messages?.[0]?.ReceiptHandle;
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: handle }));
    const none = await client.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }));
    expect(none.Messages).toBeUndefined();
  });

  it('batches', async () => {
    const sent = await client.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'late', MessageBody: 'late', DelaySeconds: 901 },
          ...Array.from({ length: 9 }, (_, id) => ({ Id: `${id}`, MessageBody: `body ${id}` })),
        ],
      }),
    );
    expect(sent.Successful?.map(({ Id }) => Id)).toEqual([...'012345678']);
    expect(sent.Failed).toEqual([
      {
        Id: 'late',
        Code: 'InvalidParameterValue',
        Message: expect.stringContaining('DelaySeconds'),
        SenderFault: true,
      },
    ]);
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
    );
    const handles = Messages.map(({ ReceiptHandle }, id) => ({ Id: `${id}`, ReceiptHandle }));
    const changed = await client.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl,
        Entries: handles.map((entry) => ({ ...entry, VisibilityTimeout: 60 })),
      }),
    );
    expect(changed).toMatchObject({ Successful: handles.map(({ Id }) => ({ Id })) });
    const deleted = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [...handles, { Id: 'none', ReceiptHandle: 'nonsense' }],
      }),
    );
    expect(deleted.Successful).toHaveLength(9);
    expect(deleted.Failed).toMatchObject([{ Id: 'none', Code: 'ReceiptHandleIsInvalid' }]);
    expect(server.sqs.peek(QueueName)).toEqual([]);
  });

  it('FIFO queues', async () => {
    const made = await client.send(
      new CreateQueueCommand({ QueueName: `${QueueName}.fifo`, Attributes: { FifoQueue: 'true' } }),
    );
    const of = { QueueUrl: made.QueueUrl, MessageGroupId: 'g' };
    const sent = await client.send(
      new SendMessageCommand({ ...of, MessageBody: 'x', MessageDeduplicationId: 'd' }),
    );
    expect(sent.SequenceNumber).toMatch(/^\d{20}$/);
    const batch = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: made.QueueUrl,
        Entries: [{ Id: 'a', MessageBody: 'y', MessageGroupId: 'g', MessageDeduplicationId: 'e' }],
      }),
    );
    expect(batch.Successful?.[0]?.SequenceNumber).toMatch(/^\d{20}$/);
    const receive = new ReceiveMessageCommand({
      QueueUrl: made.QueueUrl,
      MaxNumberOfMessages: 10,
      ReceiveRequestAttemptId: 'once',
    });
    const { Messages } = await client.send(receive);
    expect(Messages?.map(({ Body }) => Body)).toEqual(['x', 'y']);
    expect((await client.send(receive)).Messages).toEqual(Messages);
  });

  it('dead-letter queues and move tasks', async () => {
    const SourceArn = await arnOf(QueueUrl);
    const redrive = JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1 });
    const source = await client.send(
      new CreateQueueCommand({
        QueueName: `${QueueName}-source`,
        Attributes: { RedrivePolicy: redrive },
      }),
    );
    const sources = await client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl }));
    expect(sources.queueUrls).toEqual([source.QueueUrl]);
    for (let n = 0; n < 3; n++) {
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody: `${n}` }));
    }
    const DestinationArn = await arnOf(source.QueueUrl);
    const { TaskHandle } = await client.send(
      new StartMessageMoveTaskCommand({
        SourceArn,
        DestinationArn,
        MaxNumberOfMessagesPerSecond: 1,
      }),
    );
    const { Results } = await client.send(
      new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 2 }),
    );
    expect(Results).toEqual([
      {
        TaskHandle,
        Status: 'RUNNING',
        SourceArn,
        DestinationArn,
        MaxNumberOfMessagesPerSecond: 1,
        ApproximateNumberOfMessagesMoved: 0,
        ApproximateNumberOfMessagesToMove: 3,
        StartedTimestamp: expect.any(Number),
      },
    ]);
    const cancelled = await client.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
    expect(cancelled.ApproximateNumberOfMessagesMoved).toBe(0);
  });

  it('errors, as the SDK’s own types', async () => {
    await expect(
      client.send(new GetQueueUrlCommand({ QueueName: 'nowhere' })),
    ).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
      message: 'The specified queue does not exist for this wsdl version.',
      Code: 'AWS.SimpleQueueService.NonExistentQueue',
      Type: 'Sender',
      $fault: 'client',
      $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    await client.send(new PurgeQueueCommand({ QueueUrl }));
    const again = client.send(new PurgeQueueCommand({ QueueUrl }));
    await expect(again).rejects.toThrow(PurgeQueueInProgress);
    await expect(again).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const task = client.send(
      new ListMessageMoveTasksCommand({ SourceArn: 'arn:aws:sqs:us-east-1:000000000000:none' }),
    );
    await expect(task).rejects.toThrow(ResourceNotFoundException);
    await expect(task).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
    const batch = (ids: string[]) =>
      client.send(
        new DeleteMessageBatchCommand({
          QueueUrl,
          Entries: ids.map((Id) => ({ Id, ReceiptHandle: 'x' })),
        }),
      );
    await expect(batch([])).rejects.toThrow(EmptyBatchRequest);
    await expect(batch(['a', 'a'])).rejects.toThrow(BatchEntryIdsNotDistinct);
    const list = new SendMessageCommand({
      QueueUrl,
      MessageBody: 'x',
      MessageAttributes: { a: { DataType: 'String', StringListValues: ['a', 'b'] } },
    });
    await expect(client.send(list)).rejects.toThrow(UnsupportedOperation);
    const tooMuch = new ChangeMessageVisibilityCommand({
      QueueUrl,
      ReceiptHandle: await send('x'),
      VisibilityTimeout: 43_201,
    });
    await expect(client.send(tooMuch)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

/** Characters that SQS accepts; those that XML or forms escape are more frequent. */
const character = fc.oneof(
  fc.constantFrom(...'<>&"\'\r\n\t %+=;#]\u0085\u2028\ud7ff\ue000\ufffd😀'),
  fc
    .integer({ min: 0x20, max: 0x10ffff })
    .filter((code) => (code < 0xd800 || code > 0xdfff) && code !== 0xfffe && code !== 0xffff)
    .map((code) => String.fromCodePoint(code)),
);
// The SDK's parser treats whitespace with a line end as indentation, even if it is escaped.
const text = fc
  .string({ unit: character, minLength: 1, maxLength: 200 })
  .filter((value) => value.trim() !== '' || !/[\r\n]/.test(value));
const attribute = fc.oneof(
  text.map((StringValue) => ({ DataType: 'String', StringValue })),
  fc.integer().map((value) => ({ DataType: 'Number.int', StringValue: String(value) })),
  fc
    .uint8Array({ minLength: 1 })
    .map((bytes) => ({ DataType: 'Binary', BinaryValue: Uint8Array.from(bytes) })),
);
const attributes = fc.dictionary(fc.stringMatching(/^[a-z0-9_-]{1,20}$/), attribute, {
  maxKeys: 10,
  noNullPrototype: true,
});

it('any body and attributes are returned unchanged, with their digests', async () => {
  await fc.assert(
    fc.asyncProperty(text, attributes, async (MessageBody, MessageAttributes) => {
      const single = { MessageBody, MessageAttributes };
      const sent = await inProcess.send(new SendMessageCommand({ QueueUrl, ...single }));
      const batch = await inProcess.send(
        new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', ...single }] }),
      );
      expect(batch.Successful?.[0]?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
      // The SDK checks the body's digest.
      const { Messages = [] } = await inProcess.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ['All'],
        }),
      );
      expect(Messages).toHaveLength(2);
      for (const message of Messages) {
        expect(message.Body).toBe(MessageBody);
        expect(message.MessageAttributes ?? {}).toEqual(MessageAttributes);
        expect(message.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
        const { ReceiptHandle } = message;
        await inProcess.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }),
    { numRuns: 200 },
  );
});

type Fields = Record<string, string>;
const FORM = 'application/x-www-form-urlencoded; charset=utf-8';
const form = (fields: Fields) => new URLSearchParams(fields).toString();
const get = (fields: Fields, path = '/') => fetch(`${server.url}${path}?${form(fields)}`);
const post = (body: string, path = '/', type = FORM) =>
  fetch(`${server.url}${path}`, { method: 'POST', body, headers: { 'content-type': type } });
const pathOf = () => new URL(QueueUrl).pathname;

/** The XML of a response, without the parts that differ each time. */
async function xml(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('text/xml');
  const id = response.headers.get('x-amzn-requestid') ?? '';
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  return (await response.text()).replace(id, 'ID');
}

const answer = (action: string, result: string) =>
  `<?xml version="1.0"?><${action}Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">${result}<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></${action}Response>`;

describe('handwritten requests', () => {
  it('a message, by GET and POST, at / and at the queue’s URL', async () => {
    const one = { Action: 'SendMessage', MessageBody: 'a b+c' };
    const ways = [
      get({ ...one, QueueUrl }),
      get(one, pathOf()),
      post(form({ ...one, QueueUrl, Version: '2012-11-05' })),
      post(form(one), pathOf()),
      post(form(one), `${pathOf()}/`),
      post('MessageBody=a+b%2Bc', `${pathOf()}?Action=SendMessage`),
      // A parameter takes precedence over the path.
      post(form({ ...one, QueueUrl }), '/000000000000/another'),
    ];
    for (const way of ways) expect((await way).status).toBe(200);
    const bodies = server.sqs.peek(QueueName).map(({ body }) => body);
    expect(bodies).toEqual(ways.map(() => 'a b+c'));
  });

  it('JSON at the queue’s URL', async () => {
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.SendMessage',
    };
    const body = JSON.stringify({ MessageBody: 'by JSON' });
    const sent = await fetch(QueueUrl, { method: 'POST', headers, body });
    expect(sent.status).toBe(200);
    expect(server.sqs.peek(QueueName)).toMatchObject([{ body: 'by JSON' }]);
    const got = await fetch(QueueUrl, { headers });
    expect(got.status).toBe(400);
    expect(got.headers.get('x-amzn-query-error')).toBe('InvalidAction;Sender');
  });

  it('responses, word for word', async () => {
    expect(await xml(await get({ Action: 'CreateQueue', QueueName }))).toBe(
      answer(
        'CreateQueue',
        `<CreateQueueResult><QueueUrl>${QueueUrl}</QueueUrl></CreateQueueResult>`,
      ),
    );
    expect(await xml(await get({ Action: 'ReceiveMessage' }, pathOf()))).toBe(
      answer('ReceiveMessage', '<ReceiveMessageResult/>'),
    );
    const tagged = { Action: 'TagQueue', 'Tag.1.Key': 'k', 'Tag.1.Value': 'a<b>&"c"' };
    expect(await xml(await post(form(tagged), pathOf()))).toBe(answer('TagQueue', ''));
    expect(await xml(await get({ Action: 'ListQueueTags' }, pathOf()))).toBe(
      answer(
        'ListQueueTags',
        '<ListQueueTagsResult><Tag><Key>k</Key><Value>a&lt;b&gt;&amp;&quot;c&quot;</Value></Tag></ListQueueTagsResult>',
      ),
    );
    const attributes = {
      Action: 'GetQueueAttributes',
      'AttributeName.1': 'VisibilityTimeout',
      'AttributeName.2': 'QueueArn',
    };
    expect(await xml(await get(attributes, pathOf()))).toBe(
      answer(
        'GetQueueAttributes',
        `<GetQueueAttributesResult><Attribute><Name>VisibilityTimeout</Name><Value>30</Value></Attribute><Attribute><Name>QueueArn</Name><Value>arn:aws:sqs:us-east-1:000000000000:${QueueName}</Value></Attribute></GetQueueAttributesResult>`,
      ),
    );
  });

  it('a message, word for word', async () => {
    const sent = await post(
      form({
        Action: 'SendMessage',
        MessageBody: '\r\n',
        'MessageAttribute.1.Name': 'raw',
        'MessageAttribute.1.Value.DataType': 'Binary',
        'MessageAttribute.1.Value.BinaryValue': 'AP8=',
      }),
      pathOf(),
    );
    const [, attributesMd5] = /<MD5OfMessageAttributes>(\w{32})</.exec(await sent.text()) ?? [];
    const received = await get(
      { Action: 'ReceiveMessage', 'MessageAttributeName.1': 'All', 'AttributeName.1': 'SenderId' },
      pathOf(),
    );
    const [{ messageId } = { messageId: '' }] = server.sqs.peek(QueueName);
    expect((await xml(received)).replace(/(<ReceiptHandle>)[^<]+/, '$1HANDLE')).toBe(
      answer(
        'ReceiveMessage',
        `<ReceiveMessageResult><Message><MessageId>${messageId}</MessageId><ReceiptHandle>HANDLE</ReceiptHandle><Body>&#xD;\n</Body><MD5OfBody>81051bcc2cf1bedf378224b0a93e2877</MD5OfBody><Attribute><Name>SenderId</Name><Value>000000000000</Value></Attribute><MessageAttribute><Name>raw</Name><Value><DataType>Binary</DataType><BinaryValue>AP8=</BinaryValue></Value></MessageAttribute><MD5OfMessageAttributes>${attributesMd5}</MD5OfMessageAttributes></Message></ReceiveMessageResult>`,
      ),
    );
  });

  it('an error, word for word', async () => {
    const refused = await get({ Action: 'GetQueueUrl', QueueName: 'nowhere' });
    expect(refused.status).toBe(400);
    expect(await xml(refused)).toBe(
      '<?xml version="1.0"?><ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist for this wsdl version.</Message><Detail/></Error><RequestId>ID</RequestId></ErrorResponse>',
    );
  });

  it('lists and maps in long form or out of order', async () => {
    const fields = {
      Action: 'TagQueue',
      'Tag.entry.2.Key': 'b',
      'Tag.entry.2.Value': '2',
      'Tag.entry.1.Key': '__proto__',
      'Tag.entry.1.Value': '1',
      'Tag.entry.3.Key': 'c',
      'Tag.entry.3.Value': '3',
    };
    expect((await post(form(fields), pathOf())).status).toBe(200);
    const untag = { Action: 'UntagQueue', 'TagKey.member.1': 'c', 'TagKey.member.3': 'd' };
    expect((await post(form(untag), pathOf())).status).toBe(200);
    const tags = await xml(await get({ Action: 'ListQueueTags' }, pathOf()));
    expect(tags).toContain(
      '<Tag><Key>__proto__</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>2</Value></Tag></ListQueueTagsResult>',
    );
    expect(({} as Fields)['1']).toBeUndefined();
  });

  it('a single item without its number, as AWS documents it', async () => {
    const ask = async (fields: Fields) => {
      const answer = await get(fields, pathOf());
      expect(answer.status).toBe(200);
      return xml(answer);
    };
    await ask({
      Action: 'SetQueueAttributes',
      'Attribute.Name': 'VisibilityTimeout',
      'Attribute.Value': '35',
    });
    expect(await ask({ Action: 'GetQueueAttributes', AttributeName: 'All' })).toContain(
      '<Name>VisibilityTimeout</Name><Value>35</Value>',
    );
    await ask({ Action: 'TagQueue', 'Tag.Key': 'a', 'Tag.Value': 'b' });
    expect(await ask({ Action: 'ListQueueTags' })).toContain('<Tag><Key>a</Key>');
    await ask({ Action: 'UntagQueue', TagKey: 'a' });
    expect(await ask({ Action: 'ListQueueTags' })).toContain('<ListQueueTagsResult/>');
    await ask({
      Action: 'SendMessage',
      MessageBody: 'x',
      'MessageAttribute.Name': 'kind',
      'MessageAttribute.Value.DataType': 'String',
      'MessageAttribute.Value.StringValue': 'odd',
    });
    const one = { Action: 'ReceiveMessage', AttributeName: 'All', MessageAttributeName: 'All' };
    const received = await ask(one);
    expect(received).toContain('<Name>ApproximateReceiveCount</Name>');
    expect(received).toContain('<StringValue>odd</StringValue>');
  });

  it('the first of two fields with one name', async () => {
    const twice = 'Action=SendMessage&MessageBody=first&MessageBody=second';
    expect((await post(twice, pathOf())).status).toBe(200);
    expect((await post(twice, `${pathOf()}?MessageBody=URL`)).status).toBe(200);
    expect(server.sqs.peek(QueueName).map(({ body }) => body)).toEqual(['first', 'URL']);
  });
});

describe('malformed requests get AWS’s kind of error', () => {
  const TAG = 'Action=TagQueue&Tag.1.Key=a';
  const NO_ACTION = '<UnknownOperationException/>\n';
  it.each([
    ['an unknown action', 'Action=Nonsense', 400, 'InvalidAction'],
    ['what every object has', 'Action=constructor', 400, 'InvalidAction'],
    ['another version', 'Action=ListQueues&Version=2011-10-01', 400, 'NoSuchVersion'],
    ['a broken escape', 'Action=SendMessage&MessageBody=%zz', 404, 'MalformedQueryString'],
    ['broken UTF-8', 'Action=SendMessage&MessageBody=%ff', 404, 'MalformedQueryString'],
    ['no integer', 'Action=ReceiveMessage&MaxNumberOfMessages=abc', 400, 'MalformedInput'],
    ['a fraction', 'Action=ReceiveMessage&MaxNumberOfMessages=1.5', 400, 'MalformedInput'],
    ['no digits', 'Action=ReceiveMessage&WaitTimeSeconds=', 400, 'MalformedInput'],
    [
      'too many digits',
      `Action=ReceiveMessage&WaitTimeSeconds=${'9'.repeat(400)}`,
      400,
      'MalformedInput',
    ],
    ['more than allowed', 'Action=ReceiveMessage&WaitTimeSeconds=21', 400, 'InvalidParameterValue'],
    ['a structure for a text', 'Action=SendMessage&MessageBody.1=x', 400, 'MalformedInput'],
    ['a text for a list', 'Action=UntagQueue&TagKey=a&TagKey.1=b', 400, 'MalformedInput'],
    ['a list for an item', 'Action=TagQueue&Tag.Key.1=a&Tag.Value=b', 400, 'MalformedInput'],
    [
      'a text for a structure',
      'Action=DeleteMessageBatch&DeleteMessageBatchRequestEntry.1=a',
      400,
      'MalformedInput',
    ],
    ['words for indexes', 'Action=UntagQueue&TagKey.a=x', 400, 'MalformedInput'],
    ['no such index', 'Action=UntagQueue&TagKey.0=x', 400, 'MalformedInput'],
    ['a huge index', 'Action=UntagQueue&TagKey.1000000000=x', 400, 'MalformedInput'],
    ['a sparse list', 'Action=UntagQueue&TagKey.1=x&TagKey.999999999=y', 400, 'MalformedInput'],
    ['a key without a value', TAG, 400, 'MissingParameter'],
    ['a value without a key', 'Action=TagQueue&Tag.1.Value=a', 400, 'MissingParameter'],
    ['its own prototype', 'Action=SendMessage&__proto__.MessageBody=x', 400, 'MissingParameter'],
    ['an entry of its prototype', 'Action=UntagQueue&TagKey.__proto__=x', 400, 'MalformedInput'],
    [
      'entries of another action',
      'Action=DeleteMessageBatch&SendMessageBatchRequestEntry.1.Id=a',
      400,
      'AWS.SimpleQueueService.EmptyBatchRequest',
    ],
    ['too deep a name', `Action=TagQueue&Tag${'.1'.repeat(100_000)}=x`, 400, 'MissingParameter'],
  ])('%s', async (_, body, status, code) => {
    const refused = await post(body, pathOf());
    expect(await xml(refused)).toContain(`<Type>Sender</Type><Code>${code}</Code>`);
    expect(refused.status).toBe(status);
  });

  it('without an action, as recorded from AWS', async () => {
    for (const body of ['', 'QueueName=x', 'hello there', '{"Action":"ListQueues"}', 'Action=']) {
      const refused = await post(body, pathOf());
      expect(refused.headers.get('content-type')).toBe('text/xml');
      expect([refused.status, await refused.text()]).toEqual([404, NO_ACTION]);
    }
    const asked = await fetch(server.url + pathOf(), { headers: { accept: 'application/json' } });
    expect([asked.status, await asked.text()]).toEqual([404, NO_ACTION]);
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS'])('the method %s', async (method) => {
    const refused = await fetch(`${server.url}/?Action=ListQueues`, { method });
    expect(refused.status).toBe(400);
    expect(await xml(refused)).toContain('<Code>InvalidAction</Code>');
  });

  it('a body of another type', async () => {
    for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x']) {
      const refused = await post('Action=ListQueues', '/', type);
      expect([refused.status, await refused.text()]).toEqual([404, NO_ACTION]);
    }
  });

  it('a path that names no queue', async () => {
    const purge = 'Action=PurgeQueue';
    expect(await xml(await post(purge, '/a/b/c'))).toContain('NonExistentQueue');
    expect((await post(purge, '/a/b/c')).status).toBe(400);
    expect(await xml(await post(purge, '/000000000000/none'))).toContain('NonExistentQueue');
  });

  it('a text with characters outside XML, which the error quotes', async () => {
    const refused = await post(form({ Action: 'a\u0000b\ufffe<' }));
    expect(await xml(refused)).toContain('The action a\ufffdb\ufffd&lt; is not valid');
  });

  it('any fields', async () => {
    const step = fc.oneof(
      fc.constantFrom('1', '2', 'member', 'entry', 'Name', 'Key', 'Value', 'StringValue', 'Id'),
      fc.constantFrom('', '0', '-1', '1e9', '__proto__', 'constructor', 'DataType'),
    );
    const first = fc.constantFrom(
      'Attribute',
      'AttributeName',
      'MessageAttribute',
      'MessageBody',
      'SendMessageBatchRequestEntry',
      'Tag',
      'TagKey',
      'WaitTimeSeconds',
    );
    const name = fc
      .tuple(first, fc.array(step, { maxLength: 5 }))
      .map((all) => all.flat().join('.'));
    const action = fc.constantFrom(
      'CreateQueue',
      'SendMessage',
      'SendMessageBatch',
      'ReceiveMessage',
      'TagQueue',
      'UntagQueue',
    );
    const fields = fc.array(fc.tuple(name, fc.string({ maxLength: 5 })), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(action, fields, async (Action, more) => {
        const body = new URLSearchParams([['Action', Action], ...more]).toString();
        const { status } = await post(body, '/000000000000/none');
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
});
