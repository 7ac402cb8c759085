import { Stack, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct, IConstruct } from 'constructs';
import { flattened } from './flattened.ts';
import { resourceOfKey } from './keys.ts';
import type { InputPrefix } from './props.ts';

/** The parts of a deployment in which the rules have findings. */
interface Judged {
  readonly laneQueue: IConstruct;
  readonly resultQueue: IConstruct;
  readonly endedQueue: IConstruct;
  readonly seedRole: IConstruct;
  readonly workerRole: IConstruct;
  readonly operatorPolicy: IConstruct;
  readonly workPolicy: IConstruct;
  /** ARN pattern of runs' own queues. */
  readonly runQueues: string;
  readonly inputs: readonly InputPrefix[];
  readonly encryptionKey: IKey | undefined;
  readonly isInVpc: boolean;
}

/**
 * Acknowledges intended findings of cdk-nag's AwsSolutions rules, each with its reason, for apps
 * that use these rules. Grants that the app makes to the tasks are left for the app to explain.
 */
export function acknowledgeRules(scope: Construct, judged: Judged): void {
  const { laneQueue, resultQueue, endedQueue } = judged;
  const { seedRole, workerRole, operatorPolicy, workPolicy } = judged;
  const { runQueues, inputs, encryptionKey, isInVpc } = judged;
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
  const alias = encryptionKey && resourceOfKey(scope, encryptionKey);
  for (const one of [seedRole, workerRole, operatorPolicy, workPolicy]) {
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
  wildcard(
    operatorPolicy,
    '*',
    'SQS has no resources for ListQueues, nor has Lambda for account settings and lists of event sources, nor CloudWatch Logs for results of queries.',
  );
  // The export of another stack's bucket gets its name only when references are resolved, which
  // happens after the app has ended and before the rules run.
  seedRole.node.addValidation({
    validate: () => {
      for (const { bucket, prefix } of inputs) {
        const objects = bucket.arnForObjects(`${prefix}*`);
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
