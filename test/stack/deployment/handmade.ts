import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Deployment, deploy } from './deployment.ts';
import type { Resource } from './template.ts';

const ASSET_BUCKET = ['cdk-assets', '{AWS::AccountId}-', '{AWS::Region}'].join('$');

interface Handmade {
  /** Of the function `own`. */
  code: string;
  /** Of the function. */
  properties?: object;
  /** Of its role. */
  statements?: object[];
  resources?: Record<string, Resource>;
}

/** Deploys a handwritten stack: one function, and the given resources. */
export async function deployHandmade(
  handmade: Handmade,
  more: { buckets?: string[]; operatorPolicy?: string } = {},
): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-handmade-'));
  const remove = () => rmSync(folder, { recursive: true });
  try {
    writeAssembly(folder, handmade);
    const deployment = await deploy({ assembly: folder, stack: 'Own', ...more });
    const close = async () => {
      await deployment[Symbol.asyncDispose]();
      remove();
    };
    return { ...deployment, [Symbol.asyncDispose]: close };
  } catch (error) {
    remove();
    throw error;
  }
}

function writeAssembly(
  folder: string,
  { code, properties = {}, statements = [], resources = {} }: Handmade,
): void {
  mkdirSync(join(folder, 'asset.own'), { recursive: true });
  writeFileSync(join(folder, 'asset.own/index.mjs'), code);
  const Resources: Record<string, Resource> = {
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { Service: 'lambda.amazonaws.com' },
          },
        },
        Policies: [{ PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
      },
    },
    Own: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: { S3Bucket: { 'Fn::Sub': ASSET_BUCKET }, S3Key: 'own.zip' },
        FunctionName: 'own',
        Handler: 'index.handler',
        Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
        Runtime: 'nodejs24.x',
        // Lambda's default, 3 s, is too short for a process on a busy machine.
        Timeout: 20,
        ...properties,
      },
    },
    ...resources,
  };
  writeFileSync(join(folder, 'Own.template.json'), JSON.stringify({ Resources }));
  const destination = { bucketName: ASSET_BUCKET, objectKey: 'own.zip' };
  const files = {
    own: { source: { path: 'asset.own', packaging: 'zip' }, destinations: { here: destination } },
  };
  writeFileSync(join(folder, 'Own.assets.json'), JSON.stringify({ files }));
}

/** A queue with a key, a dead-letter queue and a policy that requires TLS. */
export const GUARDED_QUEUE: Record<string, Resource> = {
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
