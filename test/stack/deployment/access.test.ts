import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  GetQueueAttributesCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { clientsOf, invoke } from './clients.ts';
import { deployHandmade as deployed, GUARDED_QUEUE } from './handmade.ts';
import type { Resource } from './template.ts';

const code = 'export const handler = async () => 1';

describe.concurrent('a queue', () => {
  it('has all that its template says', async () => {
    await using stack = await deployed({ code, resources: GUARDED_QUEUE });
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
    await using stack = await deployed({ code, resources: GUARDED_QUEUE });
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
      { code, resources: { ...GUARDED_QUEUE, ...nothing } },
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
    // The error does not say that the object is missing: only callers who may list the bucket learn that.
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
