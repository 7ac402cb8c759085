import { Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { useOfKey } from './keys.ts';

/** The parts of a deployment that the policies of people and machines name. */
interface Parts {
  readonly name: string;
  readonly taskQueue: IQueue;
  readonly deadLetterQueue: IQueue;
  readonly resultQueue: IQueue;
  readonly seedFunction: IFunction;
  /** All of them, the seed too. */
  readonly functions: readonly IFunction[];
  /** ARN, with a pattern, of runs' own queues. */
  readonly runQueues: string;
  readonly encryptionKey: IKey | undefined;
}

/**
 * `<name>-operator-<region>`: people who start, follow, collect and cancel runs. Inputs reach the
 * task queue through the seed alone, which checks them.
 */
export function operatorPolicy(scope: Construct, parts: Parts): ManagedPolicy {
  const { taskQueue, deadLetterQueue, resultQueue, seedFunction, functions, runQueues } = parts;
  return policy(scope, 'OperatorPolicy', 'operator', parts, [
    allow(['lambda:InvokeFunction'], [seedFunction.functionArn]),
    allow(
      [
        'sqs:GetQueueUrl',
        'sqs:GetQueueAttributes',
        'sqs:ListQueueTags',
        'sqs:TagQueue',
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:SendMessage',
        'sqs:DeleteQueue',
      ],
      [runQueues],
    ),
    // The raw feed of results.
    allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage'], [resultQueue.queueArn]),
    // The backlog, and what `fanfold doctor` reads.
    allow(
      ['sqs:GetQueueUrl', 'sqs:GetQueueAttributes'],
      [taskQueue, deadLetterQueue, resultQueue].map(({ queueArn }) => queueArn),
    ),
    allow(
      [
        'lambda:GetFunctionConfiguration',
        'lambda:GetFunctionConcurrency',
        'lambda:GetFunctionRecursionConfig',
      ],
      functions.map(({ functionArn }) => functionArn),
    ),
    // Runs are found by their queues' names. AWS lets no resource be named for any of these.
    allow(['sqs:ListQueues', 'lambda:GetAccountSettings', 'lambda:ListEventSourceMappings'], ['*']),
  ]);
}

/** `<name>-work-<region>`: machines that run tasks beside the functions, and those who redrive. */
export function workPolicy(scope: Construct, parts: Parts): ManagedPolicy {
  const { taskQueue, deadLetterQueue, resultQueue, runQueues } = parts;
  return policy(scope, 'WorkPolicy', 'work', parts, [
    allow(
      [
        'sqs:GetQueueUrl',
        'sqs:GetQueueAttributes',
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:ChangeMessageVisibility',
        'sqs:SendMessage',
      ],
      [taskQueue.queueArn],
    ),
    allow(['sqs:GetQueueUrl', 'sqs:SendMessage'], [resultQueue.queueArn, runQueues]),
    // Messages that no worker can read go here, and are moved back: StartMessageMoveTask needs the
    // right to receive and delete.
    allow(
      [
        'sqs:GetQueueUrl',
        'sqs:GetQueueAttributes',
        'sqs:SendMessage',
        'sqs:StartMessageMoveTask',
        'sqs:ListMessageMoveTasks',
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
      ],
      [deadLetterQueue.queueArn],
    ),
  ]);
}

/**
 * Policies are the account's and not a region's: their names say the region. They have no
 * description: a changed one replaces a policy, and CloudFormation replaces nothing that has a name
 * of its own.
 */
function policy(
  scope: Construct,
  id: string,
  suffix: string,
  { name, encryptionKey }: Parts,
  statements: PolicyStatement[],
): ManagedPolicy {
  const ofKey = ['kms:GenerateDataKey', 'kms:Decrypt'];
  return new ManagedPolicy(scope, id, {
    managedPolicyName: `${name}-${suffix}-${Stack.of(scope).region}`,
    statements: [
      ...statements,
      ...(encryptionKey ? [useOfKey(scope, encryptionKey, 'sqs', ofKey)] : []),
    ],
  });
}

function allow(actions: string[], resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions, resources });
}
