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
  const ofBuckets = bucketKeys(template, intrinsics);
  return {
    keyOf: async (arn: string) => {
      const keyId = arn.startsWith('arn:aws:s3:')
        ? (ofBuckets.get(bucketOf(arn)) ?? '')
        : ((await queues.of(arn)).keyId ?? '');
      // A resource of another stack is named by its ARN.
      return keys.get(keyId) ?? (keyId.startsWith('arn:aws:kms:') ? keyId : undefined);
    },
    policyOf: async (arn: string) => {
      if (arn.startsWith('arn:aws:sqs:')) return (await queues.of(arn)).statements;
      if (arn.startsWith('arn:aws:kms:')) return policies.get(arn) ?? usual;
      // A bucket's policy also applies to its objects.
      return policies.get(bucketOf(arn)) ?? [];
    },
  };
}

/** The ARN of the bucket of an object. */
function bucketOf(arn: string): string {
  return arn.replace(/^(arn:aws:s3:::[^/]+)\/.*$/s, '$1');
}

interface Encryption {
  ServerSideEncryptionConfiguration: {
    ServerSideEncryptionByDefault?: { KMSMasterKeyID?: string };
  }[];
}

/** The keys of the template's buckets, by the buckets' ARNs. */
function bucketKeys(template: Template, intrinsics: Intrinsics): Map<string, string> {
  const buckets = resourcesOf(template, intrinsics, 'AWS::S3::Bucket');
  return new Map(
    buckets.flatMap(({ logicalId, properties }) => {
      const encryption = properties.BucketEncryption as Encryption | undefined;
      const [rule] = encryption?.ServerSideEncryptionConfiguration ?? [];
      const key = rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID;
      return key ? [[intrinsics.identity(logicalId).attributes.Arn ?? '', key] as const] : [];
    }),
  );
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
