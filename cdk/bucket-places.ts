import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { BucketPrefix, FanfoldProps } from './props.ts';
import { refuse } from './refuse.ts';

/**
 * Normalizes the buckets and prefixes of a prop: a whole bucket has an empty prefix.
 *
 * @throws FanfoldPropsError when a prefix has characters with a special meaning in a policy
 */
export function bucketPlacesOf(
  scope: Construct,
  prop: keyof FanfoldProps & ('inputBuckets' | 'resultPlaces'),
  places: readonly (IBucket | BucketPrefix)[] = [],
): BucketPrefix[] {
  return places.map((given): BucketPrefix => {
    if (!('prefix' in given)) return { bucket: given, prefix: '' };
    if (given.prefix !== '' && !/[*?$]/.test(given.prefix)) return given;
    return refuse(
      scope,
      `a prefix in \`${prop}\` must be the start of keys, such as "${EXAMPLES[prop]}", without "*", "?" and "$"; got ${JSON.stringify(given.prefix)}. For a whole bucket, give the bucket itself.`,
    );
  });
}

const EXAMPLES = { inputBuckets: 'inputs/', resultPlaces: 'results/' };

/** A place as requests name it: `s3://bucket/prefix/`. */
export function urlOf({ bucket, prefix }: BucketPrefix): string {
  return `s3://${bucket.bucketName}/${prefix}`;
}
