import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { seedHandler } from '../handlers.ts';
import type { Deployment } from '../pipeline/deployment.ts';
import { type Names, namesOf } from '../pipeline/names.ts';
import type { AnyTask, TaskRegistry } from '../task.ts';
import { createLambdaClient, Lambda } from './lambda/index.ts';
import { PLAIN_SQS } from './plain-sdk.ts';
import { createSqsClient, Sqs } from './sqs/index.ts';

/** A place where runs go, and how it ends. */
export interface World {
  readonly deployment: Deployment;
  /** Names of the tasks that are known to be there; undefined where that can't be known. */
  readonly tasks: readonly string[] | undefined;
  /** Makes a task runnable, where tasks are this process's own. */
  add(task: AnyTask): void;
  close(): Promise<void>;
}

/** What a local deployment is called. */
const NAME = 'fanfold';

/** Bytes of inputs and results that a local run may have in memory. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** Nobody else takes chunks from these queues: only a worker that dies gives one back. */
const LONGEST_SECONDS = 43_200;

/** The high count that a poison message is found long before: see the pipeline's own cuts. */
const MAX_RECEIVE_COUNT = 100;

/** How long a local worker keeps one chunk, in seconds. */
export const LOCAL_SLICE_SECONDS = 5;

/** An SQS and a Lambda in this process, with the deployment's queues and its seed function. */
export interface LocalServices {
  readonly sqs: Sqs;
  readonly lambda: Lambda;
  readonly names: Names;
  readonly taskQueueUrl: string;
  readonly deployment: Deployment;
  close(): Promise<void>;
}

/** @param tasks what the seed function takes runs of */
export async function openServices(workers: number, tasks: TaskRegistry): Promise<LocalServices> {
  const sqs = new Sqs({ strictTiming: false, bodyDigests: false });
  const lambda = new Lambda();
  const names = namesOf(NAME);
  const client = createSqsClient(sqs, PLAIN_SQS);
  const taskQueueUrl = await createQueues(client, names);
  lambda.addFunction(names.seed, seedHandler(tasks, { sqs: client, name: NAME }), {
    timeoutSeconds: LONGEST_SECONDS,
  });
  const lambdaClient = createLambdaClient(lambda);
  return {
    sqs,
    lambda,
    names,
    taskQueueUrl,
    deployment: {
      sqs: client,
      lambda: lambdaClient,
      names,
      workers,
      concurrencyOf: (task) => tasks.get(task)?.concurrency,
      windowBytes: WINDOW_BYTES,
    },
    async close() {
      await lambda.close();
      await sqs.close();
      client.destroy();
      lambdaClient.destroy();
    },
  };
}

async function createQueues(sqs: SQSClient, names: Names): Promise<string> {
  const create = async (QueueName: string, Attributes: Record<string, string>) =>
    (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const QueueUrl = await create(names.dead, { MessageRetentionPeriod: '1209600' });
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes: { QueueArn } = {} } = await sqs.send(asked);
  const redrive = { deadLetterTargetArn: QueueArn, maxReceiveCount: MAX_RECEIVE_COUNT };
  return create(names.tasks, {
    VisibilityTimeout: String(LONGEST_SECONDS),
    MessageRetentionPeriod: '1209600',
    RedrivePolicy: JSON.stringify(redrive),
  });
}
