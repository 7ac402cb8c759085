import {
  AddPermissionCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  RemovePermissionCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { AwsQueryProtocol } from '@aws-sdk/core/protocols';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createSqsClient, openStore, Sqs, serveSqs } from '../../src/emulator/sqs/index.ts';
import { inProcess as inProcessHandler } from '../../src/emulator/transport/index.ts';
import { testFolder } from '../emulator/sqs/store/durable.ts';
import { NO_QUEUE, refusal } from './test-queue.ts';
import { uniqueName } from './worlds.ts';

const OURS = '000000000000';
const A = '111111111111';
const B = '222222222222';

/** Returns a client of an account in a region. */
type Connect = (accountId: string, region?: string) => SQSClient;

interface Place {
  connect: Connect;
  sqs: Sqs;
  close?: () => Promise<void>;
}

/** An SQS on a port: a client's signature decides whose queues it uses. */
async function overHttp(verifies: boolean, config: object = {}): Promise<Place> {
  const credentials = [OURS, A, B].map((accountId) => ({
    accessKeyId: verifies ? `AKID${accountId}` : accountId,
    secretAccessKey: `secret of ${accountId}`,
    accountId,
  }));
  const server = await serveSqs(verifies ? { credentials } : {});
  const connect: Connect = (accountId, region = 'us-east-1') =>
    new SQSClient({
      ...{ endpoint: server.url, region, maxAttempts: 1, ...config },
      credentials: credentials.find((one) => one.accountId === accountId) ?? {
        accessKeyId: 'any',
        secretAccessKey: 'any',
      },
    });
  return { connect, sqs: server.sqs, close: () => server.close() };
}

async function inProcess(): Promise<Place> {
  const sqs = new Sqs();
  const connect: Connect = (accessKeyId, region = 'us-east-1') =>
    createSqsClient(sqs, { region, credentials: { accessKeyId, secretAccessKey: 'any' } });
  return { connect, sqs };
}

describe.each<[string, () => Promise<Place>]>([
  ['in process', inProcess],
  ['over HTTP, JSON', () => overHttp(false)],
  ['over HTTP, Query', () => overHttp(false, { protocol: AwsQueryProtocol })],
  ['over HTTP, verified', () => overHttp(true)],
])('Accounts and regions, %s', (_, open) => {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.close?.());

  const create = async (client: SQSClient, QueueName: string, Attributes = {}) =>
    (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const arn = async (client: SQSClient, QueueUrl: string) => {
    const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
    return (await client.send(asked)).Attributes?.QueueArn;
  };
  const bodies = async (client: SQSClient, QueueUrl: string) =>
    ((await client.send(new ReceiveMessageCommand({ QueueUrl }))).Messages ?? []).map(
      ({ Body }) => Body,
    );
  const send = (client: SQSClient, QueueUrl: string, MessageBody = 'x') =>
    client.send(new SendMessageCommand({ QueueUrl, MessageBody }));

  it('queues of the same name are separate in each account and region', async () => {
    const name = uniqueName();
    const places = [
      [OURS, 'us-east-1'],
      [OURS, 'eu-west-1'],
      [A, 'us-east-1'],
      [A, 'us-gov-west-1'],
    ] as const;
    for (const [accountId, region] of places) {
      const client = place.connect(accountId, region);
      const url = await create(client, name);
      expect(new URL(url).pathname).toBe(`/${accountId}/${name}`);
      expect(await arn(client, url)).toBe(`arn:aws:sqs:${region}:${accountId}:${name}`);
      await send(client, url, `${accountId} in ${region}`);
      expect(place.sqs.peek(name, { accountId, region })).toHaveLength(1);
    }
    for (const [accountId, region] of places) {
      const client = place.connect(accountId, region);
      const { QueueUrls } = await client.send(new ListQueuesCommand({ QueueNamePrefix: name }));
      expect(QueueUrls).toHaveLength(1);
      expect(await bodies(client, QueueUrls?.[0] ?? '')).toEqual([`${accountId} in ${region}`]);
      // The bare name is accepted as well.
      await send(client, name, 'again');
      expect(await bodies(client, name)).toEqual(['again']);
      await client.send(new DeleteQueueCommand({ QueueUrl: QueueUrls?.[0] }));
    }
    const elsewhere = place.connect(B, 'eu-west-1');
    expect((await elsewhere.send(new ListQueuesCommand({}))).QueueUrls ?? []).toEqual([]);
  });

  it('a queue does not exist in another region; addresses of AWS name their region', async () => {
    const name = uniqueName();
    const east = place.connect(OURS);
    const url = await create(east, name);
    const west = place.connect(OURS, 'eu-west-1');
    expect(await refusal(send(west, url))).toEqual(NO_QUEUE);
    await create(west, name);
    // The endpoint is set: the SDK's own would be AWS.
    const local = createSqsClient(place.sqs);
    for (const host of ['sqs.eu-west-1.amazonaws.com', 'eu-west-1.queue.amazonaws.com']) {
      const there = `https://${host}/${OURS}/${name}`;
      expect(await arn(local, there)).toBe(`arn:aws:sqs:eu-west-1:${OURS}:${name}`);
    }
  });

  it('another account’s queue is refused, unless its policy shares it', async () => {
    const name = uniqueName();
    const [owner, other] = [place.connect(A), place.connect(B)];
    const QueueUrl = await create(owner, name);
    const find = (QueueOwnerAWSAccountId?: string) =>
      other.send(new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId }));
    const denied = async (call: Promise<unknown>) => {
      const { status, message, name } = await refusal(call);
      expect([status, name]).toEqual([403, expect.stringMatching(/^AccessDenied/)]);
      expect(message).toContain('no resource-based policy allows');
    };
    await denied(send(other, QueueUrl));
    await denied(find(A));
    expect(await refusal(find())).toEqual(NO_QUEUE);
    const permission = {
      QueueUrl,
      Label: 'shared',
      AWSAccountIds: [B],
      Actions: ['SendMessage', 'GetQueueUrl'],
    };
    await owner.send(new AddPermissionCommand(permission));
    expect((await find(A)).QueueUrl).toBe(QueueUrl);
    await send(other, QueueUrl, 'from B');
    const Entries = [{ Id: 'one', MessageBody: 'from B, in a batch' }];
    await other.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    await denied(bodies(other, QueueUrl));
    await denied(send(place.connect(OURS), QueueUrl));
    const { Messages = [] } = await owner.send(
      new ReceiveMessageCommand({
        ...{ QueueUrl, MaxNumberOfMessages: 10 },
        MessageSystemAttributeNames: ['SenderId'],
      }),
    );
    expect(Messages.map(({ Attributes }) => Attributes?.SenderId)).toEqual([B, B]);
    await owner.send(new RemovePermissionCommand({ QueueUrl, Label: 'shared' }));
    await denied(send(other, QueueUrl));
  });

  it('a policy allows and denies by principal, action and resource, with wildcards', async () => {
    const [owner, other] = [place.connect(A), place.connect(B)];
    const QueueUrl = await create(owner, uniqueName());
    const allow = { Effect: 'Allow', Principal: { AWS: [B] }, Action: 'sqs:*', Resource: '*' };
    const set = (Statement: object | object[]) =>
      owner.send(
        new SetQueueAttributesCommand({
          QueueUrl,
          Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) },
        }),
      );
    for (const more of [
      {},
      { Principal: '*' },
      { Principal: { AWS: `arn:aws:iam::${B}:role/x` } },
      { Action: ['SQS:Send*'] },
      { Resource: `arn:aws:sqs:us-east-?:${A}:*` },
    ]) {
      await set({ ...allow, ...more });
      await send(other, QueueUrl);
    }
    for (const statements of [
      [{ ...allow, Principal: { AWS: OURS } }],
      [{ ...allow, Principal: { Service: 'sns.amazonaws.com' } }],
      [{ ...allow, Action: 'sqs:ReceiveMessage' }],
      [{ ...allow, Resource: 'arn:aws:sqs:us-east-1:111111111111:other' }],
      [{ ...allow, Condition: { StringEquals: { 'aws:username': 'x' } } }],
      [allow, { ...allow, Effect: 'Deny', Action: 'sqs:SendMessage' }],
    ]) {
      await set(statements);
      expect((await refusal(send(other, QueueUrl))).status).toBe(403);
    }
    await set(allow);
    // Only the owner may use these actions, whatever the policy allows.
    for (const command of [
      new TagQueueCommand({ QueueUrl, Tags: { a: 'b' } }),
      new DeleteQueueCommand({ QueueUrl }),
      new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: '1' } }),
    ]) {
      expect((await refusal(other.send(command as TagQueueCommand))).status).toBe(403);
    }
    const sources = new ListDeadLetterSourceQueuesCommand({ QueueUrl });
    expect((await other.send(sources)).queueUrls ?? []).toEqual([]);
  });

  it('a dead-letter queue must be in the same account and region', async () => {
    const owner = place.connect(A);
    for (const other of [place.connect(B), place.connect(A, 'eu-west-1')]) {
      const name = uniqueName();
      const deadLetterTargetArn = await arn(other, await create(other, name));
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 });
      const { name: code, message } = await refusal(create(owner, uniqueName(), { RedrivePolicy }));
      expect(code).toBe('InvalidParameterValue');
      expect(message).toContain('Dead letter target does not exist.');
      const SourceArn = deadLetterTargetArn;
      for (const call of [
        owner.send(new StartMessageMoveTaskCommand({ SourceArn })),
        owner.send(new ListMessageMoveTasksCommand({ SourceArn })),
      ]) {
        expect(await refusal(call)).toMatchObject({
          name: 'ResourceNotFoundException',
          status: 404,
        });
      }
    }
  });
});

describe('Identities', () => {
  it('a service that verifies signatures derives accounts from its keys only', async () => {
    const sqs = new Sqs();
    const KEY = { accessKeyId: A, secretAccessKey: 'secret', accountId: B };
    const list = (everyRegion: boolean, region: string, credentials = KEY) =>
      createSqsClient(sqs, {
        ...{ region, credentials, signer: undefined as never },
        requestHandler: inProcessHandler(sqs.signedService([KEY], { everyRegion })),
      }).send(new ListQueuesCommand({}));
    const there = createSqsClient(sqs, {
      region: 'eu-west-1',
      credentials: { accessKeyId: B, secretAccessKey: 'any' },
    });
    const { QueueUrl } = await there.send(new CreateQueueCommand({ QueueName: 'of-b' }));
    expect((await list(true, 'eu-west-1')).QueueUrls).toEqual([QueueUrl]);
    expect((await list(true, 'us-east-1')).QueueUrls ?? []).toEqual([]);
    await list(false, 'us-east-1');
    for (const [every, region, more, name] of [
      [true, 'eu-west-1', { accessKeyId: B }, 'InvalidClientTokenId'],
      [true, 'eu-west-1', { secretAccessKey: 'guess' }, 'SignatureDoesNotMatch'],
      [true, 'nowhere', {}, 'SignatureDoesNotMatch'],
      [false, 'eu-west-1', {}, 'SignatureDoesNotMatch'],
    ] as const) {
      expect((await refusal(list(every, region, { ...KEY, ...more }))).name).toBe(name);
    }
  });

  it('queues of an old store belong to the server’s own account, and all others survive a restart', async () => {
    const folder = await testFolder();
    const places = [[OURS, 'us-east-1'] as const, [A, 'eu-west-1'] as const];
    let sqs = new Sqs({ store: openStore(folder) });
    const connect = (accessKeyId: string, region: string) =>
      createSqsClient(sqs, { region, credentials: { accessKeyId, secretAccessKey: 'any' } });
    for (const [accountId, region] of places) {
      const client = connect(accountId, region);
      for (const QueueName of ['kept', 'gone']) {
        const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName }));
        await client.send(new SendMessageCommand({ QueueUrl, MessageBody: `of ${accountId}` }));
        if (QueueName === 'gone') await client.send(new DeleteQueueCommand({ QueueUrl }));
      }
    }
    const QueueUrl = `http://localhost/${A}/kept`;
    const policy = { QueueUrl, Label: 'l', AWSAccountIds: [B], Actions: ['SendMessage'] };
    await connect(A, 'eu-west-1').send(new AddPermissionCommand(policy));
    const sent = new SendMessageCommand({ QueueUrl, MessageBody: 'of another' });
    await connect(B, 'eu-west-1').send(sent);
    await sqs.close();
    sqs = new Sqs({ store: openStore(folder) });
    onTestFinished(() => sqs.close());
    expect(sqs.peek('kept').map(({ body }) => body)).toEqual([`of ${OURS}`]);
    const { Messages = [] } = await connect(A, 'eu-west-1').send(
      new ReceiveMessageCommand({
        ...{ QueueUrl, MaxNumberOfMessages: 10 },
        MessageSystemAttributeNames: ['SenderId'],
      }),
    );
    expect(Messages.map(({ Body, Attributes }) => [Body, Attributes?.SenderId])).toEqual([
      [`of ${A}`, A],
      ['of another', B],
    ]);
    for (const [accountId, region] of places) {
      const again = connect(accountId, region).send(new CreateQueueCommand({ QueueName: 'gone' }));
      expect((await refusal(again)).name).toBe('QueueDeletedRecently');
    }
    await connect(B, 'eu-west-1').send(new CreateQueueCommand({ QueueName: 'gone' }));
  });
});
