import { Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { COLLECTING } from './grants.ts';
import { usesOfKeys } from './keys.ts';
import { listing, onObjects } from './object-access.ts';
import type { BucketPrefix } from './props.ts';
import { PAYLOADS } from './results-bucket.ts';

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
  /** The bucket for payloads. */
  readonly bucket: IBucket;
  /** Places that results may be written to; none if no function collects them. */
  readonly resultPlaces: readonly BucketPrefix[];
}

/**
 * `<name>-operator-<region>`: for people who start, follow, collect and cancel runs, and read the
 * log lines of their inputs. They can't send to the task queue: inputs reach it only through the
 * seed, which checks them.
 */
export function operatorPolicy(scope: Construct, parts: Parts): ManagedPolicy {
  const { taskQueue, laneQueue, deadLetterQueue, resultQueue, endedQueue } = parts;
  const { seedFunction, functions, runQueues, bucket, resultPlaces } = parts;
  const payloads = { bucket, prefix: PAYLOADS };
  const logs = parts.logs.map(({ logGroupArn }) => logGroupArn);
  const buckets = [bucket, ...resultPlaces.map((place) => place.bucket)];
  return policy(scope, 'OperatorPolicy', 'operator', parts, buckets, [
    allow(['lambda:InvokeFunction'], [seedFunction.functionArn]),
    // Callers send notices: that a run is sealed, can't be read, or is cancelled.
    allow([...COLLECTING, 'sqs:SendMessage'], [runQueues]),
    // Results of runs without a queue of their own.
    allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage'], [resultQueue.queueArn]),
    // Their collector lists ended runs, and readers leave the list as it is.
    allow(
      ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'],
      [endedQueue.queueArn],
    ),
    // Results, and inputs and outputs that do not fit in a message. The end of a run deletes these.
    onObjects(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], [...resultPlaces, payloads]),
    ...listing([...resultPlaces, payloads]),
    // The name of the bucket.
    allow(['sqs:ListQueueTags'], [taskQueue.queueArn]),
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
  const { taskQueue, laneQueue, deadLetterQueue, resultQueue, runQueues, bucket } = parts;
  return policy(
    scope,
    'WorkPolicy',
    'work',
    parts,
    [bucket],
    [
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
      // Inputs and outputs that do not fit in a message.
      allow(['s3:GetObject', 's3:PutObject'], [bucket.arnForObjects(`${PAYLOADS}*`)]),
      // The bounds that were set for a run, whether it is paused, and the name of the bucket.
      allow(['sqs:ListQueueTags'], [runQueues, taskQueue.queueArn]),
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
    ],
  );
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
  buckets: readonly IBucket[],
  statements: PolicyStatement[],
): ManagedPolicy {
  return new ManagedPolicy(scope, id, {
    managedPolicyName: `${name}-${suffix}-${Stack.of(scope).region}`,
    statements: [...statements, ...usesOfKeys(scope, encryptionKey, buckets)],
  });
}

function allow(actions: string[], resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions, resources });
}
