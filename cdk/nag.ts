import { Stack, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct, IConstruct } from 'constructs';
import { flattened } from './flattened.ts';
import { resourceOfKey } from './keys.ts';
import type { BucketPrefix } from './props.ts';
import { PAYLOADS } from './results-bucket.ts';

/** The parts of a deployment in which the rules have findings. */
interface Judged {
  readonly laneQueue: IConstruct;
  readonly resultQueue: IConstruct;
  readonly endedQueue: IConstruct;
  readonly seedRole: IConstruct;
  readonly workerRole: IConstruct;
  readonly collectorRole: IConstruct | undefined;
  readonly bucket: IBucket;
  readonly operatorPolicy: IConstruct;
  readonly workPolicy: IConstruct;
  /** ARN pattern of runs' own queues. */
  readonly runQueues: string;
  readonly inputs: readonly BucketPrefix[];
  readonly resultPlaces: readonly BucketPrefix[];
  readonly encryptionKey: IKey | undefined;
  readonly isInVpc: boolean;
}

/**
 * Acknowledges intended findings of cdk-nag's AwsSolutions rules, each with its reason, for apps
 * that use these rules. Grants that the app makes to the tasks are left for the app to explain.
 */
export function acknowledgeRules(scope: Construct, judged: Judged): void {
  const { laneQueue, resultQueue, endedQueue, bucket } = judged;
  const { seedRole, workerRole, collectorRole, operatorPolicy, workPolicy } = judged;
  const { runQueues, inputs, resultPlaces, encryptionKey, isInVpc } = judged;
  const collectors = collectorRole ? [collectorRole] : [];
  const acknowledge = (of: IConstruct, rule: string, reason: string) =>
    Validations.of(of).acknowledge({ id: `AwsSolutions::AwsSolutions-${rule}`, reason });
  const wildcard = (of: IConstruct, resource: string, reason: string) =>
    acknowledge(of, `IAM5[Resource::${asFound(scope, resource)}]`, reason);

  acknowledge(
    resultQueue,
    'SQS3',
    'Results wait for their reader. Moving a result that was received often to a dead-letter queue would lose it.',
  );
  acknowledge(
    endedQueue,
    'SQS3',
    'It is a list: its messages are received often, and never deleted. They expire after a day.',
  );
  acknowledge(
    laneQueue,
    'SQS3',
    'A chunk that is received again leaves its lane, cut in parts, until one input is alone, which ends failed if it is begun too often. Workers send unreadable messages to the dead-letter queue themselves.',
  );
  // A bucket that the app gave is its own to explain.
  if (bucket.node.scope === scope) {
    acknowledge(
      bucket,
      'S1',
      'Access logs need another bucket. An app that wants them gives a bucket of its own.',
    );
  }
  const alias = encryptionKey && resourceOfKey(scope, encryptionKey);
  for (const one of [seedRole, workerRole, ...collectors, operatorPolicy, workPolicy]) {
    wildcard(one, runQueues, 'Each run has a queue of its own, named by the id of the run.');
    if (alias?.alias === undefined) continue;
    wildcard(one, alias.arn, 'Only the alias of the key is known, which a condition names.');
  }
  const traces = 'X-Ray has no resources for traces';
  wildcard(seedRole, '*', `${traces}.`);
  wildcard(
    workerRole,
    '*',
    `${traces}${isInVpc ? ', nor EC2 for the network interfaces of functions' : ''}.`,
  );
  for (const one of collectors) {
    wildcard(one, '*', `${traces}, nor has SQS for ListQueues.`);
  }
  wildcard(
    operatorPolicy,
    '*',
    'SQS has no resources for ListQueues, nor has Lambda for account settings and lists of event sources, nor CloudWatch Logs for results of queries.',
  );
  // The export of another stack's bucket gets its name only when references are resolved, which
  // happens after the app has ended and before the rules run.
  seedRole.node.addValidation({
    validate: () => {
      const payloads = bucket.arnForObjects(`${PAYLOADS}*`);
      for (const one of [seedRole, workerRole, ...collectors, operatorPolicy, workPolicy]) {
        wildcard(one, payloads, 'Each payload of a run is an object, named by the id of the run.');
      }
      for (const { bucket: place, prefix } of resultPlaces) {
        const objects = place.arnForObjects(`${prefix}*`);
        for (const one of [...collectors, operatorPolicy]) {
          wildcard(one, objects, 'Each run has a folder for its results, named by its id.');
        }
      }
      for (const { bucket: place, prefix } of inputs) {
        const objects = place.arnForObjects(`${prefix}*`);
        wildcard(seedRole, objects, 'Any object in an input bucket or prefix can hold inputs.');
      }
      return [];
    },
  });
}

/** Formats a resource like cdk-nag: references in angle brackets, except other stacks' exports. */
function asFound(scope: Construct, resource: string): string {
  const written = flattened(
    Stack.of(scope).resolve(resource),
    ({ Ref, 'Fn::GetAtt': attribute, 'Fn::ImportValue': exported }) => {
      if (typeof exported === 'string') return exported;
      return `<${Array.isArray(attribute) ? attribute.join('.') : Ref}>`;
    },
  );
  return String(written);
}
