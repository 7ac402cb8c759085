import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Fanfold, type FanfoldProps } from './fanfold.ts';

export interface FanfoldStackProps extends StackProps, FanfoldProps {}

/** A stack of one Fanfold deployment, whose outputs say where its parts are. */
export class FanfoldStack extends Stack {
  readonly fanfold: Fanfold;

  constructor(scope: Construct, id: string, props: FanfoldStackProps = {}) {
    super(scope, id, props);
    this.fanfold = new Fanfold(this, 'Fanfold', props);
    const { taskQueue, deadLetterQueue, resultQueue, seedFunction, workerFunction } = this.fanfold;
    this.#output('TaskQueueUrl', 'Chunks of inputs wait here.', taskQueue.queueUrl);
    this.#output(
      'DeadLetterQueueUrl',
      'Task messages that could not be worked on.',
      deadLetterQueue.queueUrl,
    );
    this.#output(
      'ResultQueueUrl',
      'Results of runs that have no queue of their own.',
      resultQueue.queueUrl,
    );
    this.#output('SeedFunctionName', 'Invoke it to start a run.', seedFunction.functionName);
    this.#output('WorkerFunctionName', 'Runs the tasks.', workerFunction.functionName);
  }

  #output(id: string, description: string, value: string): void {
    new CfnOutput(this, id, { description, value });
  }
}
