import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  GetQueueAttributesCommand,
  ListQueueTagsCommand,
  ListQueuesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { isRunning } from '../../cli/command.ts';
import { clientsOf, invoke } from './clients.ts';
import { deploy } from './deployment.ts';
import { writeAssembly } from './handmade.ts';
import type { Properties, Resource } from './template.ts';

const root = mkdtempSync(join(tmpdir(), 'fanfold-loader-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Deploys a stack that was written by hand. */
function deployed(
  assembly: Parameters<typeof writeAssembly>[1],
  more: { buckets?: string[]; operatorPolicy?: string } = {},
) {
  const folder = mkdtempSync(join(root, 'assembly-'));
  writeAssembly(folder, assembly);
  return deploy({ assembly: folder, stack: 'Own', ...more });
}

const failure = async (lambda: LambdaClient, event: unknown) =>
  (await invoke(lambda, 'own', event)).failed;

describe.concurrent('a function', () => {
  it('has the environment that its template gives, and Lambda’s', async () => {
    await using stack = await deployed({
      code: 'export const handler = async () => process.env',
      properties: {
        MemorySize: 256,
        Environment: { Variables: { OWN: { Ref: 'AWS::Region' } } },
        LoggingConfig: { LogGroup: '/own', LogFormat: 'JSON' },
      },
    });
    const { returned } = await invoke(clientsOf(stack).lambda, 'own');
    expect(returned).toEqual({
      OWN: 'eu-central-1',
      _HANDLER: 'index.handler',
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
      AWS_SECRET_ACCESS_KEY: expect.any(String),
      AWS_SESSION_TOKEN: expect.any(String),
      AWS_DEFAULT_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL: stack.place.endpoint,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_FUNCTION_NAME: 'own',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_FORMAT: 'JSON',
      AWS_LAMBDA_LOG_GROUP_NAME: '/own',
      AWS_LAMBDA_LOG_STREAM_NAME: expect.stringContaining('[$LATEST]'),
      AWS_REGION: 'eu-central-1',
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      LAMBDA_TASK_ROOT: expect.stringMatching(/asset\.own$/),
      LANG: 'en_US.UTF-8',
      NODE_EXTRA_CA_CERTS: expect.any(String),
      PATH: '/usr/local/bin:/usr/bin:/bin',
      TZ: ':UTC',
    });
  });

  it('fails where its handler is not exported, or not there', async () => {
    const code = 'export const handler = async () => 1';
    await using wrongName = await deployed({ code, properties: { Handler: 'index.burst' } });
    expect(await failure(clientsOf(wrongName).lambda, {})).toMatchObject({
      errorType: 'Runtime.HandlerNotFound',
      errorMessage: 'index.burst is undefined or not exported',
    });
    await using wrongFile = await deployed({ code, properties: { Handler: 'main.handler' } });
    expect(await failure(clientsOf(wrongFile).lambda, {})).toMatchObject({
      errorType: 'Runtime.ImportModuleError',
    });
  });

  it('tells what it threw', async () => {
    await using stack = await deployed({
      code: "export const handler = async () => { throw new RangeError('too far') }",
    });
    expect(await failure(clientsOf(stack).lambda, {})).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'too far',
      trace: expect.arrayContaining([expect.stringContaining('index.mjs')]),
    });
  });

  it('is killed when its time is over, even if it blocks', async () => {
    await using stack = await deployed({
      code: 'export const handler = async (event) => { if (event.blocks) for (;;); return process.pid }',
      properties: { Timeout: 1 },
    });
    const { lambda } = clientsOf(stack);
    const { returned: pid } = await invoke(lambda, 'own');
    expect(await failure(lambda, { blocks: true })).toMatchObject({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(/Task timed out after 1\.00 seconds$/),
    });
    await vi.waitFor(() => expect(isRunning(Number(pid))).toBe(false));
    const { returned: other } = await invoke(lambda, 'own');
    expect(other).not.toBe(pid);
  });

  it('is killed when it takes more memory than it has, on the heap or beside it', async () => {
    await using stack = await deployed({
      code: `const all = [];
        export const handler = async (event) => {
          for (;;) {
            all.push(event.heap ? Array(1e6).fill(event) : Buffer.alloc(1e7, 1));
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        }`,
      properties: { MemorySize: 128, Timeout: 20 },
    });
    const { lambda } = clientsOf(stack);
    for (const event of [{ heap: true }, { heap: false }]) {
      expect(await failure(lambda, event)).toMatchObject({
        errorType: 'Runtime.ExitError',
        errorMessage: expect.stringMatching(/Error: Runtime exited with error: (signal|exit)/),
      });
    }
  });

  it('gets a new process after it has ended its own', async () => {
    await using stack = await deployed({
      code: 'export const handler = async (event) => { if (event.exits) process.exit(3); return 1 }',
    });
    const { lambda } = clientsOf(stack);
    expect(await failure(lambda, { exits: true })).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/Runtime exited with error: exit status 3$/),
    });
    expect(await invoke(lambda, 'own')).toEqual({ returned: 1 });
  });

  it('stands still between invocations', async () => {
    await using stack = await deployed({
      code: 'let ticks = 0; setInterval(() => ticks++, 10); export const handler = async () => ticks',
    });
    const { lambda } = clientsOf(stack);
    await invoke(lambda, 'own');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { returned } = await invoke(lambda, 'own');
    expect(returned).toBeLessThan(10);
  });

  it('is throttled at its reserved concurrency', async () => {
    await using stack = await deployed({
      code: 'export const handler = () => new Promise((resolve) => setTimeout(resolve, 1000))',
      properties: { ReservedConcurrentExecutions: 1 },
    });
    const { lambda } = clientsOf(stack);
    const ended = await Promise.allSettled([invoke(lambda, 'own'), invoke(lambda, 'own')]);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('logs only where its role may', async () => {
    const allowed = {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: { 'Fn::GetAtt': ['Logs', 'Arn'] },
    };
    const code = "export const handler = async () => console.log('printed')";
    const resources = {
      Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/own' } },
    };
    const properties = { LoggingConfig: { LogGroup: { Ref: 'Logs' } } };
    await using may = await deployed({ code, resources, properties, statements: [allowed] });
    await invoke(clientsOf(may).lambda, 'own');
    await vi.waitFor(() => expect(may.functions.log('own')).toEqual(['printed']));
    expect(may.authority.denials).toEqual([]);
    await using mayNot = await deployed({ code, resources, properties });
    await invoke(clientsOf(mayNot).lambda, 'own');
    expect(mayNot.authority.denials.map(({ action }) => action)).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
    expect(mayNot.functions.log('own')).toEqual([]);
  });
});

const queue: Record<string, Resource> = {
  Key: {
    Type: 'AWS::KMS::Key',
    Properties: {
      KeyPolicy: {
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Action: 'kms:*',
          Resource: '*',
          Principal: { AWS: 'arn:aws:iam::123456789012:root' },
        },
      },
    },
  },
  Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
  Queue: {
    Type: 'AWS::SQS::Queue',
    Properties: {
      QueueName: 'own',
      KmsMasterKeyId: { Ref: 'Key' },
      KmsDataKeyReusePeriodSeconds: 600,
      MessageRetentionPeriod: 1209600,
      ReceiveMessageWaitTimeSeconds: 20,
      RedrivePolicy: {
        deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] },
        maxReceiveCount: 100,
      },
      VisibilityTimeout: 77,
      Tags: [{ Key: 'team', Value: 'own' }],
    },
  },
  QueuePolicy: {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: 'Queue' }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: {
          Effect: 'Deny',
          Principal: '*',
          Action: 'sqs:*',
          Resource: { 'Fn::GetAtt': ['Queue', 'Arn'] },
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      },
    },
  },
};

const code = 'export const handler = async () => 1';

describe.concurrent('a queue', () => {
  it('has all that its template says', async () => {
    await using stack = await deployed({ code, resources: queue });
    const { sqs } = clientsOf(stack);
    const QueueUrl = `${stack.place.endpoint}/123456789012/own`;
    const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
    const { Attributes = {} } = await sqs.send(asked);
    expect(Attributes).toMatchObject({
      KmsMasterKeyId: expect.stringMatching(/^[\w-]{36}$/),
      KmsDataKeyReusePeriodSeconds: '600',
      MessageRetentionPeriod: '1209600',
      ReceiveMessageWaitTimeSeconds: '20',
      VisibilityTimeout: '77',
    });
    expect(JSON.parse(Attributes.RedrivePolicy ?? '')).toEqual({
      deadLetterTargetArn: 'arn:aws:sqs:eu-central-1:123456789012:dead',
      maxReceiveCount: 100,
    });
    expect(JSON.parse(Attributes.Policy ?? '').Statement.Resource).toBe(
      'arn:aws:sqs:eu-central-1:123456789012:own',
    );
    const { Tags } = await sqs.send(new ListQueueTagsCommand({ QueueUrl }));
    expect(Tags).toEqual({ team: 'own' });
  });

  it('is closed to calls without TLS by its policy', async () => {
    await using stack = await deployed({ code, resources: queue });
    const client = new SQSClient({
      region: stack.place.region,
      endpoint: stack.plainUrl,
      useQueueUrlAsEndpoint: false,
      credentials: stack.operator,
      maxAttempts: 1,
    });
    const QueueUrl = `${stack.plainUrl}/123456789012/own`;
    const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
    await expect(client.send(asked)).rejects.toThrow('explicit deny in a resource-based policy');
    await client.send(new ListQueuesCommand({}));
    client.destroy();
  });
});

describe.concurrent('who has no grant', () => {
  const nothing: Record<string, Resource> = {
    Nothing: {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        ManagedPolicyName: 'nothing',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::inputs/*' },
            { Effect: 'Allow', Action: 'sqs:Send*', Resource: { 'Fn::GetAtt': ['Queue', 'Arn'] } },
          ],
        },
      },
    },
  };
  const denied = () =>
    deployed(
      { code, resources: { ...queue, ...nothing } },
      { operatorPolicy: 'nothing', buckets: ['inputs'] },
    );

  it('is refused by SQS, Lambda and S3 in their own ways', async () => {
    await using stack = await denied();
    const { sqs, lambda, s3 } = clientsOf(stack);
    const user = 'User: arn:aws:sts::123456789012:assumed-role/Operator/somebody is not authorized';
    await expect(sqs.send(new ListQueuesCommand({}))).rejects.toMatchObject({
      message: expect.stringContaining(`${user} to perform: sqs:ListQueues on resource: *`),
      $metadata: { httpStatusCode: 403 },
    });
    await expect(invoke(lambda, 'own')).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(user),
    });
    const put = new PutObjectCommand({ Bucket: 'inputs', Key: 'a', Body: 'x' });
    await expect(s3.send(put)).rejects.toMatchObject({ name: 'AccessDenied' });
    // Not that it is not there: that is for those who may list the bucket.
    const get = new GetObjectCommand({ Bucket: 'inputs', Key: 'missing' });
    await expect(s3.send(get)).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(stack.authority.denials.map(({ who, action }) => `${who}: ${action}`)).toEqual([
      'operator: sqs:ListQueues',
      'operator: lambda:InvokeFunction',
      'operator: s3:PutObject',
      'operator: s3:ListBucket',
    ]);
  });

  it('is refused for want of the key where the queue is allowed', async () => {
    await using stack = await denied();
    const { sqs } = clientsOf(stack);
    const QueueUrl = `${stack.place.endpoint}/123456789012/own`;
    const send = new SendMessageCommand({ QueueUrl, MessageBody: 'x' });
    await expect(sqs.send(send)).rejects.toMatchObject({
      name: 'KmsAccessDenied',
      message: expect.stringContaining('kms:GenerateDataKey'),
    });
  });

  it('is not refused what S3 gives to everybody with a grant', async () => {
    await using stack = await deployed({ code }, { buckets: ['inputs'] });
    const { s3 } = clientsOf(stack);
    await s3.send(new PutObjectCommand({ Bucket: 'inputs', Key: 'a/b c.txt', Body: 'text' }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'inputs', Key: 'a/b c.txt' }));
    expect(await Body?.transformToString()).toBe('text');
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: 'inputs' }));
    expect(KeyCount).toBe(1);
    const missing = new GetObjectCommand({ Bucket: 'inputs', Key: 'missing' });
    await expect(s3.send(missing)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});

describe('a template is refused', () => {
  const own = (Properties: Properties) => ({ Own: { Type: 'AWS::Lambda::Function', Properties } });
  it.each<[string, Record<string, Resource>, string]>([
    [
      'that refers to nothing',
      { Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { A: { Ref: 'Nobody' } } } },
      'Alarm.A refers to Nobody, which the template does not have.',
    ],
    [
      'that asks for an attribute that is not there',
      {
        Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { A: { 'Fn::GetAtt': 'Role.Name' } } },
      },
      'Alarm.A asks for Name of Role: a AWS::IAM::Role has Arn, RoleId.',
    ],
    [
      'that uses a function that is not known',
      { Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { A: { 'Fn::Cidr': [] } } } },
      'Alarm.A uses Fn::Cidr, which is no intrinsic function that is known here',
    ],
    [
      'that has a resource that is not known',
      { Own2: { Type: 'AWS::Made::Up' } },
      'Own2 is a AWS::Made::Up, a type that is not known here.',
    ],
    [
      'that depends on nothing',
      { Own2: { Type: 'AWS::CDK::Metadata', DependsOn: ['Nobody'] } },
      'Own2.DependsOn refers to Nobody',
    ],
    [
      'that has a function of another runtime',
      own({ Runtime: 'nodejs22.x', Code: {}, Role: '', Handler: '' }),
      'Own runs on nodejs22.x; nodejs24.x is what runs here.',
    ],
    [
      'that says more of a function than is made',
      own({ Layers: [] }),
      'Own has the property Layers, which is not known here.',
    ],
  ])('%s', async (_, resources, sentence) => {
    await expect(deployed({ code, resources })).rejects.toThrow(sentence);
  });

  it('whose event source Lambda would refuse', async () => {
    const mapping: Record<string, Resource> = {
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          FunctionName: { Ref: 'Own' },
          EventSourceArn: { 'Fn::GetAtt': ['Dead', 'Arn'] },
        },
      },
    };
    const resources = { ...queue, ...mapping };
    const properties = { Timeout: 31 };
    await expect(deployed({ code, resources, properties })).rejects.toThrow(
      'Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds',
    );
    await expect(deployed({ code, resources })).rejects.toThrow(
      'The provided execution role does not have permissions to call sqs:ReceiveMessage',
    );
  });
});
