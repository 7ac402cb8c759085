import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Intrinsics } from './intrinsics.ts';
import { readStatements, type Statement } from './policies/index.ts';
import { resourcesOf } from './principals.ts';
import { QueueAttributes } from './queue-attributes.ts';
import type { Place, Template } from './template.ts';

/** The policies of queues, buckets and keys, by their ARNs. */
export function guards(template: Template, intrinsics: Intrinsics, sqs: SQSClient, place: Place) {
  const queues = new QueueAttributes(sqs, place);
  const usual = usualKeyPolicy(place);
  const keys = new Map<string, string>();
  const policies = new Map<string, Statement[]>();
  for (const { logicalId, properties } of resourcesOf(template, intrinsics, 'AWS::KMS::Key')) {
    const {
      ref,
      attributes: { Arn = '' },
    } = intrinsics.identity(logicalId);
    keys.set(ref, Arn).set(Arn, Arn);
    policies.set(Arn, readStatements(properties.KeyPolicy, logicalId));
  }
  for (const { logicalId, properties } of resourcesOf(
    template,
    intrinsics,
    'AWS::S3::BucketPolicy',
  )) {
    const arn = `arn:aws:s3:::${properties.Bucket}`;
    policies.set(arn, readStatements(properties.PolicyDocument, logicalId));
  }
  return {
    keyOf: async (queueArn: string) => {
      const { keyId = '' } = await queues.of(queueArn);
      // A resource of another stack is named by its ARN.
      return keys.get(keyId) ?? (keyId.startsWith('arn:aws:kms:') ? keyId : undefined);
    },
    policyOf: async (arn: string) => {
      if (arn.startsWith('arn:aws:sqs:')) return (await queues.of(arn)).statements;
      if (arn.startsWith('arn:aws:kms:')) return policies.get(arn) ?? usual;
      // A bucket's policy also applies to its objects.
      return policies.get(arn.replace(/^(arn:aws:s3:::[^/]+)\/.*$/s, '$1')) ?? [];
    },
  };
}

/** AWS's default policy of a key: the account's own policies decide. */
function usualKeyPolicy({ accountId }: Place): Statement[] {
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${accountId}:root` },
    Action: 'kms:*',
    Resource: '*',
  };
  return readStatements({ Version: '2012-10-17', Statement: statement }, 'the key');
}
