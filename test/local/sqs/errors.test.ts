import {
  BatchEntryIdsNotDistinct,
  BatchRequestTooLong,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  EmptyBatchRequest,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  InvalidAttributeName,
  InvalidAttributeValue,
  InvalidMessageContents,
  PurgeQueueCommand,
  PurgeQueueInProgress,
  QueueDeletedRecently,
  QueueDoesNotExist,
  QueueNameExists,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  TooManyEntriesInBatchRequest,
} from '@aws-sdk/client-sqs';
import { AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/local/sqs/index.ts';
import { type Listening, listen } from '../../../src/local/transport.ts';

const sqs = new Sqs();
let server: Listening;
let QueueUrl = '';

beforeAll(async () => {
  server = await listen(sqs.service);
  const created = await createSqsClient(sqs).send(new CreateQueueCommand({ QueueName: 'errors' }));
  QueueUrl = created.QueueUrl ?? '';
});
afterAll(() => server.close());

const overPort = () =>
  new SQSClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
  });

describe.each([
  ['in process', () => createSqsClient(sqs)],
  ['over a port', overPort],
  ['over CBOR', () => createSqsClient(sqs, { protocol: AwsSmithyRpcV2CborProtocol })],
])('errors as the SDK’s own types, %s', (way, make) => {
  let client: SQSClient;
  beforeAll(() => {
    client = make();
  });
  const entries = (n: number, body = 'x') =>
    Array.from({ length: n }, (_, id) => ({ Id: `id_${id}`, MessageBody: body }));
  const batch = (Entries: { Id: string; MessageBody: string }[]) =>
    client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));

  it('a queue that is not there', async () => {
    const missing = client.send(new GetQueueUrlCommand({ QueueName: 'nowhere' }));
    await expect(missing).rejects.toThrow(QueueDoesNotExist);
    await expect(missing).rejects.toMatchObject({
      message: 'The specified queue does not exist.',
      $metadata: { httpStatusCode: 400 },
    });
    const sent = client.send(
      new SendMessageCommand({ QueueUrl: `${QueueUrl}-not`, MessageBody: 'x' }),
    );
    await expect(sent).rejects.toThrow(QueueDoesNotExist);
  });

  it('a queue that is there with other attributes', async () => {
    const create = client.send(
      new CreateQueueCommand({ QueueName: 'errors', Attributes: { VisibilityTimeout: '31' } }),
    );
    await expect(create).rejects.toThrow(QueueNameExists);
    await expect(create).rejects.toThrow(
      'A queue already exists with the same name and a different value for attribute VisibilityTimeout',
    );
    const same = await client.send(
      new CreateQueueCommand({ QueueName: 'errors', Attributes: { VisibilityTimeout: '30' } }),
    );
    expect(same.QueueUrl).toContain('/000000000000/errors');
  });

  it('attributes and their values', async () => {
    const create = (Attributes: Record<string, string>) =>
      client.send(new CreateQueueCommand({ QueueName: 'other', Attributes }));
    await expect(create({ Nonsense: '1' })).rejects.toThrow(InvalidAttributeName);
    await expect(create({ VisibilityTimeout: '43201' })).rejects.toThrow(InvalidAttributeValue);
    await expect(
      client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['Nonsense' as 'All'] }),
      ),
    ).rejects.toThrow('Unknown Attribute Nonsense.');
  });

  it('characters that XML has not', async () => {
    // UTF-8 has no lone surrogates: CBOR cannot carry one as far as SQS.
    const loneSurrogate = way === 'over CBOR' ? [] : ['a\ud800b'];
    for (const body of ['\u0000', '\ufffe', '\u001f', ...loneSurrogate]) {
      const sent = client.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
      await expect(sent).rejects.toThrow(InvalidMessageContents);
    }
  });

  it('batches', async () => {
    await expect(batch([])).rejects.toThrow(EmptyBatchRequest);
    await expect(batch(entries(11))).rejects.toThrow(TooManyEntriesInBatchRequest);
    await expect(batch(entries(20))).rejects.toThrow(
      'Maximum number of entries per request are 10. You have sent 20.',
    );
    await expect(batch([...entries(3), ...entries(2)])).rejects.toThrow(BatchEntryIdsNotDistinct);
    await expect(batch(entries(2, 'x'.repeat(524_289)))).rejects.toThrow(BatchRequestTooLong);
    await expect(batch(entries(2, 'x'.repeat(524_289)))).rejects.toThrow(
      'Batch requests cannot be longer than 1048576 bytes. You have sent 1048578 bytes.',
    );
  });

  it('receipt handles', async () => {
    await expect(
      client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'nonsense' })),
    ).rejects.toThrow(ReceiptHandleIsInvalid);
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }),
    );
    const ReceiptHandle = Messages?.[0]?.ReceiptHandle;
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    await expect(
      client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 1 }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  it('values out of their range', async () => {
    await expect(
      client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 })),
    ).rejects.toThrow(
      'Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.',
    );
    await expect(
      client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 21 })),
    ).rejects.toThrow(
      'Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.',
    );
    await expect(
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(1_048_577) })),
    ).rejects.toThrow(
      'One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.',
    );
    await expect(
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: '' })),
    ).rejects.toThrow('The request must contain the parameter MessageBody.');
  });

  it('a name within 60 s of its deletion, and a purge within 60 s of another', async () => {
    const QueueName = `again-${Math.random().toString(36).slice(2)}`;
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName }));
    await client.send(new PurgeQueueCommand({ QueueUrl }));
    await expect(client.send(new PurgeQueueCommand({ QueueUrl }))).rejects.toThrow(
      PurgeQueueInProgress,
    );
    await client.send(new DeleteQueueCommand({ QueueUrl }));
    await expect(client.send(new CreateQueueCommand({ QueueName }))).rejects.toThrow(
      QueueDeletedRecently,
    );
  });

  it('a wait on a queue that is deleted', async () => {
    const QueueName = `gone-${Math.random().toString(36).slice(2)}`;
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName }));
    const wait = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    const ended = expect(wait).rejects.toThrow(QueueDoesNotExist);
    await client.send(new DeleteQueueCommand({ QueueUrl }));
    await ended;
  });
});
