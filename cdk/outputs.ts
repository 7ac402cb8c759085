import { CfnOutput } from 'aws-cdk-lib';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** The parts of a deployment that outputs name. */
interface Named {
  readonly taskQueue: IQueue;
  readonly deadLetterQueue: IQueue;
  readonly resultQueue: IQueue;
  readonly bucket: IBucket;
  readonly seedFunction: IFunction;
  readonly workerFunction: IFunction;
  readonly operatorPolicy: ManagedPolicy;
  readonly workPolicy: ManagedPolicy;
}

/** Adds outputs that name a deployment's parts. */
export function addOutputs(scope: Construct, parts: Named): void {
  const output = (id: string, description: string, value: string) =>
    new CfnOutput(scope, id, { description, value });
  output('TaskQueueUrl', 'Chunks of inputs wait here.', parts.taskQueue.queueUrl);
  output(
    'DeadLetterQueueUrl',
    'Task messages that no worker could process.',
    parts.deadLetterQueue.queueUrl,
  );
  output(
    'ResultQueueUrl',
    'Results of runs that have no queue of their own.',
    parts.resultQueue.queueUrl,
  );
  output(
    'BucketName',
    'Results of runs, and inputs and outputs that do not fit in a message.',
    parts.bucket.bucketName,
  );
  output('SeedFunctionName', 'Invoke it to start a run.', parts.seedFunction.functionName);
  output('WorkerFunctionName', 'Runs the tasks.', parts.workerFunction.functionName);
  output(
    'OperatorPolicyArn',
    'For people who run tasks and collect results with the command line.',
    parts.operatorPolicy.managedPolicyArn,
  );
  output(
    'WorkPolicyArn',
    'For machines that run workers, and for people who redrive.',
    parts.workPolicy.managedPolicyArn,
  );
}
