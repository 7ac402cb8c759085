import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IAlias, IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** The resource in a policy that allows the use of a key. */
interface KeyResource {
  readonly arn: string;
  /** The alias that the key must have, if the ARN matches all keys. */
  readonly alias?: string;
}

/**
 * Determines a key's resource for policies. An alias's own ARN has no effect there: the result is
 * the ARN of its key or, for an alias imported by name, all keys that have the alias.
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

type Service = 'sqs' | 's3';

/** Allows the use of a key only in calls that AWS services make on behalf of the caller. */
export function useOfKey(
  scope: Construct,
  key: IKey,
  services: readonly Service[],
  actions: string[],
): PolicyStatement {
  const { arn, alias } = resourceOfKey(scope, key);
  const { region } = Stack.of(scope);
  // The rest of the name depends on the partition. A bucket may be in another region.
  const names = services.map((service) => (service === 's3' ? 's3.*' : `${service}.${region}.*`));
  return new PolicyStatement({
    actions,
    resources: [arn],
    conditions: {
      StringLike: { 'kms:ViaService': names.length === 1 ? names[0] : names },
      ...(alias ? { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias } } : {}),
    },
  });
}

/** Allows reading and writing what the keys of queues and buckets encrypt. */
export function usesOfKeys(
  scope: Construct,
  ofQueues: IKey | undefined,
  buckets: readonly IBucket[],
): PolicyStatement[] {
  const services = new Map<IKey, Set<Service>>();
  if (ofQueues) services.set(ofQueues, new Set(['sqs']));
  for (const { encryptionKey } of buckets) {
    if (encryptionKey === undefined) continue;
    services.set(encryptionKey, (services.get(encryptionKey) ?? new Set()).add('s3'));
  }
  const actions = ['kms:GenerateDataKey', 'kms:Decrypt'];
  return [...services].map(([key, of]) => useOfKey(scope, key, [...of], actions));
}
