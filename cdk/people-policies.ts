import { Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { useOfKey } from './keys.ts';

/** The parts of a deployment to which people and machines get access. */
interface Parts {
  readonly name: string;
  readonly taskQueue: IQueue;
  readonly laneQueue: IQueue;
  readonly deadLetterQueue: IQueue;
  readonly resultQueue: IQueue;
  /** Lists the runs that ended in the last day. */
  readonly endedQueue: IQueue;
  readonly seedFunction: IFunction;
  /** All functions, including the seed. */
  readonly functions: readonly IFunction[];
  /** Logs of all functions. */
  readonly logs: readonly ILogGroup[];
  /** ARN pattern of runs' own queues. */
  readonly runQueues: string;
  readonly encryptionKey: IKey | undefined;
}

/**
 * `<name>-operator-<region>`: for people who start, follow, collect and cancel runs, and read the
 * log lines of their inputs. They can't send to the task queue: inputs reach it only through the
 * seed, which checks them.
 */
export function operatorPolicy(scope: Construct, parts: Parts): ManagedPolicy {
  const { taskQueue, laneQueue, deadLetterQueue, resultQueue, endedQueue } = parts;
  const { seedFunction, functions, runQueues } = parts;
  const logs = parts.logs.map(({ logGroupArn }) => logGroupArn);
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
    // Results of runs without a queue of their own.
    allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage'], [resultQueue.queueArn]),
    // Their collector lists ended runs, and readers leave the list as it is.
    allow(
      ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'],
      [endedQueue.queueArn],
    ),
    // For the backlog and `fanfold doctor`.
    allow(
      ['sqs:GetQueueUrl', 'sqs:GetQueueAttributes'],
      [taskQueue, laneQueue, deadLetterQueue, resultQueue, endedQueue].map(
        ({ queueArn }) => queueArn,
      ),
    ),
    allow(
      [
        'lambda:GetFunctionConfiguration',
        'lambda:GetFunctionConcurrency',
        'lambda:GetFunctionRecursionConfig',
      ],
      functions.map(({ functionArn }) => functionArn),
    ),
    // For `fanfold logs`.
    allow(['logs:StartQuery'], logs),
    // Runs are found by their queue names. These actions have no resource-level permissions.
    allow(
      [
        'sqs:ListQueues',
        'lambda:GetAccountSettings',
        'lambda:ListEventSourceMappings',
        'logs:GetQueryResults',
      ],
      ['*'],
    ),
  ]);
}

/** `<name>-work-<region>`: for machines that run `fanfold work`, and people who redrive. */
export function workPolicy(scope: Construct, parts: Parts): ManagedPolicy {
  const { taskQueue, laneQueue, deadLetterQueue, resultQueue, runQueues } = parts;
  return policy(scope, 'WorkPolicy', 'work', parts, [
    allow(['sqs:GetQueueUrl'], [taskQueue.queueArn, resultQueue.queueArn]),
    allow(
      [
        'sqs:GetQueueAttributes',
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:ChangeMessageVisibility',
        'sqs:SendMessage',
      ],
      [taskQueue.queueArn, laneQueue.queueArn],
    ),
    allow(['sqs:SendMessage'], [resultQueue.queueArn, runQueues]),
    // The bounds that were set for a run, and whether it is paused.
    allow(['sqs:ListQueueTags'], [runQueues]),
    // Workers send unreadable messages here, and a redrive moves them back: StartMessageMoveTask
    // requires the permissions to receive and delete.
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
 * Makes a managed policy. Policies belong to the account, so their names contain the region. They
 * have no description: changing it would replace the policy, and CloudFormation can't replace a
 * resource with a custom name.
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
