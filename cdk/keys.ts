import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IAlias, IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** The resource that a policy names to allow the use of a key. */
interface KeyResource {
  readonly arn: string;
  /** The alias that the key must have, where the ARN is that of all keys. */
  readonly alias?: string;
}

/**
 * The resource that stands for a key in policies. An alias's own ARN allows nothing there: the key
 * behind it is named, or for an alias that was imported by its name all keys that have the alias.
 * https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
 */
export function resourceOfKey(scope: Construct, key: IKey): KeyResource {
  const { aliasName: alias } = key as Partial<IAlias>;
  if (alias === undefined) return { arn: key.keyArn };
  try {
    return { arn: (key as IAlias).aliasTargetKey.keyArn };
  } catch {
    // `Alias.fromAliasName()` knows no key, and its `grant()` needs a feature flag of the app.
    const parts = { service: 'kms', resource: 'key', resourceName: '*' };
    return {
      arn: Stack.of(scope).formatArn({ ...parts, arnFormat: ArnFormat.SLASH_RESOURCE_NAME }),
      alias,
    };
  }
}

/** Allows the use of a key, in calls that a service of AWS makes for the caller and in no others. */
export function useOfKey(
  scope: Construct,
  key: IKey,
  service: 'sqs' | 's3',
  actions: string[],
): PolicyStatement {
  const { arn, alias } = resourceOfKey(scope, key);
  const { region } = Stack.of(scope);
  return new PolicyStatement({
    actions,
    resources: [arn],
    conditions: {
      // The rest of a service's name is another in each partition. A bucket may be in another region.
      StringLike: { 'kms:ViaService': service === 's3' ? 's3.*' : `${service}.${region}.*` },
      ...(alias ? { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias } } : {}),
    },
  });
}
