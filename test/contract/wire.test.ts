import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SqsServer, serveSqs } from '../../src/emulator/sqs/index.ts';
import { PROTOCOLS, type ProtocolName, rawRefusal, rawRequest } from './raw.ts';
import { uniqueName } from './worlds.ts';

const ACTIONS = [
  'AddPermission',
  'CancelMessageMoveTask',
  'ChangeMessageVisibility',
  'ChangeMessageVisibilityBatch',
  'CreateQueue',
  'DeleteMessage',
  'DeleteMessageBatch',
  'DeleteQueue',
  'GetQueueAttributes',
  'GetQueueUrl',
  'ListDeadLetterSourceQueues',
  'ListMessageMoveTasks',
  'ListQueueTags',
  'ListQueues',
  'PurgeQueue',
  'ReceiveMessage',
  'RemovePermission',
  'SendMessage',
  'SendMessageBatch',
  'SetQueueAttributes',
  'StartMessageMoveTask',
  'TagQueue',
  'UntagQueue',
];

let server: SqsServer;
beforeAll(async () => {
  server = await serveSqs();
});
afterAll(() => server.close());

function ask(protocol: ProtocolName, action: string, parameters: object = {}, url = server.url) {
  return fetch(url, { method: 'POST', ...rawRequest(protocol, action, parameters) });
}

const refused = async (...asked: Parameters<typeof ask>) => rawRefusal(await ask(...asked));

async function makeQueue(more: object = {}): Promise<{ QueueName: string; QueueUrl: string }> {
  const QueueName = uniqueName();
  const made = await ask('JSON', 'CreateQueue', { QueueName, ...more });
  const { QueueUrl } = (await made.json()) as { QueueUrl: string };
  return { QueueName, QueueUrl };
}

const entries = (...ids: string[]) => ids.map((Id) => ({ Id, MessageBody: 'x' }));

type Case = [
  type: string,
  code: string,
  status: number,
  provoke: (ask: (action: string, parameters: object) => Promise<Response>) => Promise<Response>,
];

const COMMON = 'com.amazon.coral.service#';
const MODEL = 'com.amazonaws.sqs#';
const PREFIX = 'AWS.SimpleQueueService.';

/** The name of each error in JSON and Query, its status, and a request that causes it. */
const ERRORS: Case[] = [
  [
    `${MODEL}QueueDoesNotExist`,
    `${PREFIX}NonExistentQueue`,
    400,
    (ask) => ask('GetQueueUrl', { QueueName: uniqueName() }),
  ],
  [
    `${MODEL}QueueDeletedRecently`,
    `${PREFIX}QueueDeletedRecently`,
    400,
    async (ask) => {
      const { QueueUrl, QueueName } = await makeQueue();
      await ask('DeleteQueue', { QueueUrl });
      return ask('CreateQueue', { QueueName });
    },
  ],
  [
    `${MODEL}PurgeQueueInProgress`,
    `${PREFIX}PurgeQueueInProgress`,
    403,
    async (ask) => {
      const { QueueUrl } = await makeQueue();
      await ask('PurgeQueue', { QueueUrl });
      return ask('PurgeQueue', { QueueUrl });
    },
  ],
  [
    `${MODEL}UnsupportedOperation`,
    `${PREFIX}UnsupportedOperation`,
    400,
    async (ask) => {
      const { QueueUrl } = await makeQueue();
      const MessageAttributes = { a: { DataType: 'String', StringListValues: ['x'] } };
      return ask('SendMessage', { QueueUrl, MessageBody: 'x', MessageAttributes });
    },
  ],
  [
    `${MODEL}EmptyBatchRequest`,
    `${PREFIX}EmptyBatchRequest`,
    400,
    async (ask) => ask('SendMessageBatch', { ...(await makeQueue()), Entries: [] }),
  ],
  [
    `${MODEL}TooManyEntriesInBatchRequest`,
    `${PREFIX}TooManyEntriesInBatchRequest`,
    400,
    async (ask) =>
      ask('SendMessageBatch', { ...(await makeQueue()), Entries: entries(...'abcdefghijk') }),
  ],
  [
    `${MODEL}BatchEntryIdsNotDistinct`,
    `${PREFIX}BatchEntryIdsNotDistinct`,
    400,
    async (ask) => ask('SendMessageBatch', { ...(await makeQueue()), Entries: entries('a', 'a') }),
  ],
  [
    `${MODEL}InvalidBatchEntryId`,
    `${PREFIX}InvalidBatchEntryId`,
    400,
    async (ask) => ask('SendMessageBatch', { ...(await makeQueue()), Entries: entries('a b') }),
  ],
  [
    `${MODEL}BatchRequestTooLong`,
    `${PREFIX}BatchRequestTooLong`,
    400,
    async (ask) => {
      const Entries = [{ Id: 'a', MessageBody: 'x'.repeat(1_048_577) }];
      return ask('SendMessageBatch', { ...(await makeQueue()), Entries });
    },
  ],
  [
    `${MODEL}QueueNameExists`,
    'QueueAlreadyExists',
    400,
    async (ask) =>
      ask('CreateQueue', { ...(await makeQueue()), Attributes: { VisibilityTimeout: '31' } }),
  ],
  [
    `${MODEL}ReceiptHandleIsInvalid`,
    'ReceiptHandleIsInvalid',
    404,
    async (ask) => ask('DeleteMessage', { ...(await makeQueue()), ReceiptHandle: 'nonsense' }),
  ],
  [
    `${MODEL}ResourceNotFoundException`,
    'ResourceNotFoundException',
    404,
    (ask) =>
      ask('ListMessageMoveTasks', { SourceArn: 'arn:aws:sqs:us-east-1:000000000000:not-there' }),
  ],
  [
    `${MODEL}OverLimit`,
    'OverLimit',
    403,
    async (ask) => {
      const { QueueUrl } = await makeQueue();
      const add = (Label: string) =>
        ask('AddPermission', {
          QueueUrl,
          Label,
          Actions: ['SendMessage'],
          AWSAccountIds: ['111111111111'],
        });
      for (let n = 0; n < 20; n++) await add(`label${n}`);
      return add('more');
    },
  ],
  [
    `${MODEL}InvalidAttributeName`,
    'InvalidAttributeName',
    400,
    (ask) => ask('CreateQueue', { QueueName: uniqueName(), Attributes: { Nonsense: '1' } }),
  ],
  [
    `${MODEL}InvalidAttributeValue`,
    'InvalidAttributeValue',
    400,
    (ask) => ask('CreateQueue', { QueueName: uniqueName(), Attributes: { DelaySeconds: '-1' } }),
  ],
  [
    `${MODEL}InvalidMessageContents`,
    'InvalidMessageContents',
    400,
    async (ask) => ask('SendMessage', { ...(await makeQueue()), MessageBody: '\u0001' }),
  ],
  [
    `${COMMON}InvalidParameterValueException`,
    'InvalidParameterValue',
    400,
    async (ask) => ask('ReceiveMessage', { ...(await makeQueue()), MaxNumberOfMessages: 11 }),
  ],
  [
    `${COMMON}MissingRequiredParameterException`,
    'MissingParameter',
    400,
    async (ask) => ask('SendMessage', await makeQueue()),
  ],
  [`${COMMON}UnknownOperationException`, 'InvalidAction', 400, (ask) => ask('ReceiveMessages', {})],
];

describe.each(PROTOCOLS)('The wire, %s', (protocol) => {
  const isJson = protocol === 'JSON';

  it('both protocols work on one endpoint, and on the queue’s URL [D, L]', async () => {
    const { QueueUrl } = await makeQueue();
    for (const url of [server.url, `${server.url}/`, QueueUrl]) {
      const sent = await ask(protocol, 'SendMessage', { QueueUrl, MessageBody: 'x' }, url);
      expect(sent.status).toBe(200);
      expect(sent.headers.get('content-type')).toBe(
        isJson ? 'application/x-amz-json-1.0' : 'text/xml',
      );
    }
  });

  it('all 23 actions are known [D]', async () => {
    expect(ACTIONS).toHaveLength(23);
    for (const action of ACTIONS) {
      const answer = await ask(protocol, action);
      if (answer.status !== 200) {
        expect((await rawRefusal(answer)).code, action).not.toBe('InvalidAction');
      }
    }
  });

  it.each(ERRORS)('%s is %s, and its status %i [D, P]', async (type, code, status, provoke) => {
    const answer = await provoke((action, parameters) => ask(protocol, action, parameters));
    expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    const refusal = await rawRefusal(answer);
    expect(refusal.message).not.toBe('');
    expect(refusal).toMatchObject({ type: isJson ? type : code, code, status });
  });

  it('the error text of a missing queue is longer in Query', async () => {
    const { message } = await refused(protocol, 'GetQueueUrl', { QueueName: uniqueName() });
    expect(message).toBe(
      `The specified queue does not exist${isJson ? '' : ' for this wsdl version'}.`,
    );
  });

  it('a missing QueueUrl is a queue that does not exist [P]', async () => {
    for (const parameters of [{}, { QueueUrl: '' }]) {
      for (const action of ['ReceiveMessage', 'SendMessage', 'DeleteQueue', 'ListQueueTags']) {
        const { code } = await refused(protocol, action, parameters);
        expect(code).toBe('AWS.SimpleQueueService.NonExistentQueue');
      }
    }
  });

  it.runIf(isJson)('a void success has an empty body and Content-Length 0 [S]', async () => {
    const { QueueUrl } = await makeQueue();
    for (const [action, more] of [
      ['SetQueueAttributes', { Attributes: { DelaySeconds: '0' } }],
      ['TagQueue', { Tags: { a: 'b' } }],
      ['UntagQueue', { TagKeys: ['a'] }],
      ['PurgeQueue', {}],
      ['AddPermission', { Label: 'a', Actions: ['*'], AWSAccountIds: ['111111111111'] }],
      ['RemovePermission', { Label: 'a' }],
      ['DeleteQueue', {}],
    ] as const) {
      const answer = await ask('JSON', action, { QueueUrl, ...more });
      expect([action, answer.status, answer.headers.get('content-length')]).toEqual([
        action,
        200,
        '0',
      ]);
      expect(await answer.text()).toBe('');
    }
  });

  it.runIf(isJson)(
    'DeleteMessage and ChangeMessageVisibility have an empty body and Content-Length 0 [S]',
    async () => {
      const { QueueUrl } = await makeQueue();
      await ask('JSON', 'SendMessage', { QueueUrl, MessageBody: 'x' });
      const received = await ask('JSON', 'ReceiveMessage', { QueueUrl });
      const { Messages } = (await received.json()) as { Messages: { ReceiptHandle: string }[] };
      const of = { QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle };
      const changed = await ask('JSON', 'ChangeMessageVisibility', { ...of, VisibilityTimeout: 9 });
      const deleted = await ask('JSON', 'DeleteMessage', of);
      for (const answer of [changed, deleted]) {
        expect([answer.status, await answer.text()]).toEqual([200, '']);
        expect(answer.headers.get('content-length')).toBe('0');
      }
    },
  );

  it.runIf(isJson)('an empty result leaves its key out [P]', async () => {
    const { QueueUrl } = await makeQueue();
    for (const [action, parameters] of [
      ['ReceiveMessage', { QueueUrl }],
      ['ListQueueTags', { QueueUrl }],
      ['GetQueueAttributes', { QueueUrl }],
      ['ListQueues', { QueueNamePrefix: uniqueName() }],
    ] as const) {
      expect([action, await (await ask('JSON', action, parameters)).text()]).toEqual([
        action,
        '{}',
      ]);
    }
  });

  it.runIf(isJson)('a dead-letter queue without sources returns an empty list [D]', async () => {
    const { QueueUrl } = await makeQueue();
    const answer = await ask('JSON', 'ListDeadLetterSourceQueues', { QueueUrl });
    expect(await answer.json()).toEqual({ queueUrls: [] });
  });

  // Other protocols cannot transport it to this check.
  it.runIf(isJson)('half of a surrogate pair is refused', async () => {
    const { QueueUrl } = await makeQueue();
    const refusal = await refused('JSON', 'SendMessage', { QueueUrl, MessageBody: 'a\ud800b' });
    expect(refusal.code).toBe('InvalidMessageContents');
  });

  it.runIf(isJson)('a body that is not JSON is a SerializationException [P]', async () => {
    for (const body of ['{', '[]', 'hello', '{"QueueUrl":1}']) {
      const { headers } = rawRequest('JSON', 'ReceiveMessage', {});
      const answer = await fetch(server.url, { method: 'POST', headers, body });
      expect(await rawRefusal(answer)).toMatchObject({
        type: 'com.amazon.coral.service#SerializationException',
        code: 'MalformedInput',
        status: 400,
      });
    }
  });

  it.runIf(isJson)(
    'a body that is not UTF-8, and a value that is not base64, are a SerializationException',
    async () => {
      const { QueueUrl } = await makeQueue();
      const { headers, body } = rawRequest('JSON', 'SendMessage', { QueueUrl, MessageBody: '@' });
      const bytes = Buffer.from(body);
      bytes[bytes.indexOf('@')] = 0xff;
      const value = (BinaryValue: string) =>
        rawRequest('JSON', 'SendMessage', {
          QueueUrl,
          MessageBody: 'x',
          MessageAttributes: { a: { DataType: 'Binary', BinaryValue } },
        });
      for (const request of [
        { headers, body: bytes },
        ...['***', 'AP8', 'AP8=\n', 'A=P8', 'AP_8'].map(value),
      ]) {
        const answer = await fetch(server.url, { method: 'POST', ...request });
        expect(await rawRefusal(answer)).toMatchObject({
          type: 'com.amazon.coral.service#SerializationException',
          code: 'MalformedInput',
          status: 400,
        });
      }
      expect((await fetch(server.url, { method: 'POST', ...value('AP8=') })).status).toBe(200);
    },
  );

  it('an entry of a batch fails with its code in Query’s form', async () => {
    const { QueueUrl } = await makeQueue();
    const Entries = [{ Id: 'a', ReceiptHandle: 'nonsense' }];
    const answer = await ask(protocol, 'DeleteMessageBatch', { QueueUrl, Entries });
    expect(answer.status).toBe(200);
    const text = await answer.text();
    if (isJson) {
      expect(JSON.parse(text)).toEqual({
        Failed: [
          {
            Id: 'a',
            Code: 'ReceiptHandleIsInvalid',
            Message: 'The input receipt handle "nonsense" is not a valid receipt handle.',
            SenderFault: true,
          },
        ],
      });
    } else {
      expect(text).toMatch(/<BatchResultErrorEntry>.*<Code>ReceiptHandleIsInvalid<\/Code>/);
      expect(text).toMatch(/<SenderFault>true<\/SenderFault>/);
    }
  });
});
