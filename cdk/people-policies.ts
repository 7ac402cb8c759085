import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Fanfold } from './fanfold.ts';

/** What the people of a deployment need, who use `fanfold` with `--stack`, or its API. */
export function operatorPolicy(
  fanfold: Fanfold,
  { encryptionKey, runQueues }: { encryptionKey: IKey | undefined; runQueues: string },
): ManagedPolicy {
  const { name, taskQueue, deadLetterQueue, resultQueue, seedFunction } = fanfold;
  const allow = (actions: string[], resources: string[]) =>
    new PolicyStatement({ actions, resources });
  return new ManagedPolicy(fanfold, 'OperatorPolicy', {
    managedPolicyName: `${name}-operator`,
    description: `Run, follow, collect and cancel runs of ${name}, and work on them.`,
    statements: [
      allow(['lambda:InvokeFunction'], [seedFunction.functionArn]),
      // A run: found, collected, told of, cancelled and ended.
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
      // Runs are found by their queues' names, and AWS lets no resource be named for that.
      allow(['sqs:ListQueues'], ['*']),
      // The raw feed of results.
      allow(['sqs:GetQueueUrl', 'sqs:ReceiveMessage', 'sqs:DeleteMessage'], [resultQueue.queueArn]),
      // Work; the backlog; what is moved back to it.
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
      allow(['sqs:SendMessage'], [resultQueue.queueArn]),
      // What can't be read goes here, and is moved back: StartMessageMoveTask needs the other three.
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
      ...(encryptionKey
        ? [allow(['kms:GenerateDataKey', 'kms:Decrypt'], [encryptionKey.keyArn])]
        : []),
    ],
  });
}
