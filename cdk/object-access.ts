import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { BucketPrefix } from './props.ts';

/** Allows actions on the objects of places. */
export function onObjects(actions: string[], places: readonly BucketPrefix[]): PolicyStatement {
  const resources = places.map(({ bucket, prefix }) => bucket.arnForObjects(`${prefix}*`));
  return new PolicyStatement({ actions, resources });
}

/**
 * Allows listing the objects of places: without it, S3 reports a missing object as "access denied".
 */
export function listing(places: readonly BucketPrefix[]): PolicyStatement[] {
  const actions = ['s3:ListBucket'];
  const whole = places.filter(({ prefix }) => prefix === '');
  const prefixes = new Map<string, string[]>();
  for (const { bucket, prefix } of places) {
    if (prefix === '') continue;
    prefixes.set(bucket.bucketArn, [...(prefixes.get(bucket.bucketArn) ?? []), `${prefix}*`]);
  }
  const statements = [...prefixes].map(([arn, patterns]) => {
    const conditions = { StringLike: { 's3:prefix': patterns } };
    return new PolicyStatement({ actions, resources: [arn], conditions });
  });
  if (whole.length === 0) return statements;
  const resources = whole.map(({ bucket }) => bucket.bucketArn);
  return [new PolicyStatement({ actions, resources }), ...statements];
}
