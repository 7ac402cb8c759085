import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { InputPrefix } from './props.ts';
import { refuse } from './refuse.ts';

/**
 * Normalizes the buckets and prefixes that the seed may read: a whole bucket has an empty prefix.
 *
 * @throws FanfoldPropsError when a prefix has characters with a special meaning in a policy
 */
export function inputPlacesOf(
  scope: Construct,
  inputBuckets: readonly (IBucket | InputPrefix)[] = [],
): InputPrefix[] {
  return inputBuckets.map((given): InputPrefix => {
    if (!('prefix' in given)) return { bucket: given, prefix: '' };
    if (given.prefix !== '' && !/[*?$]/.test(given.prefix)) return given;
    return refuse(
      scope,
      `a prefix in \`inputBuckets\` must be the start of keys, such as "inputs/", without "*", "?" and "$"; got ${JSON.stringify(given.prefix)}. For a whole bucket, give the bucket itself.`,
    );
  });
}
