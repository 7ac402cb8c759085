import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { createLambdaClient, Lambda } from '../emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../emulator/sqs/index.ts';
import { PLAIN_SQS } from '../endpoint/plain-sdk.ts';
import { seedHandler } from '../handlers/seed.ts';
import { keep } from '../keep.ts';
import { type Names, namesOf } from '../pipeline/names.ts';
import type { Deployment } from '../pipeline/run/deployment.ts';
import type { AnyTask, TaskRegistry } from '../task.ts';

/** A place where runs go, and how it ends. */
export interface World {
  readonly deployment: Deployment;
  /** Names of the tasks that are known to be there; undefined where that can't be known. */
  readonly tasks: readonly string[] | undefined;
  /** Makes a task runnable, where tasks are this process's own. */
  add(task: AnyTask): void;
  /** Names of the tasks that were added so far, where there are no others. */
  added?(): readonly string[];
  /**
   * Refuses a run that one of the place's own tasks starts, where it could wait for itself.
   *
   * @throws FanfoldError `NestedRun`
   */
  refuseNested?(): void;
  /** Told of a run that was started: the worker of a task that waits for it is replaced meanwhile. */
  started?(ended: Promise<void>): void;
  close(): Promise<void>;
}

/** What a local deployment is called. */
export const NAME = 'fanfold';

/** Bytes of inputs and results that a local run may have in memory. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** Nobody else takes chunks from these queues: only a worker that dies gives one back. */
const LONGEST_SECONDS = 43_200;

/** The high count that a poison message is found long before: see the pipeline's own cuts. */
const MAX_RECEIVE_COUNT = 100;

/** Two weeks, SQS's longest. */
const RETENTION = { MessageRetentionPeriod: '1209600' };

/** How long a local worker keeps one chunk, in seconds. */
export const LOCAL_SLICE_SECONDS = 5;

/** An SQS and a Lambda in this process, with the deployment's queues and its seed function. */
export interface LocalServices {
  readonly sqs: Sqs;
  readonly lambda: Lambda;
  readonly names: Names;
  readonly taskQueueUrl: string;
  readonly deadQueueUrl: string;
  readonly deployment: Deployment;
  close(): Promise<void>;
}

export interface ServicesOptions {
  /** How many workers chunks are cut for. */
  workers: number;
  /** What the seed function takes runs of. */
  tasks: TaskRegistry;
  /** @default one that is for processes of this Fanfold alone */
  sqs?: Sqs;
  lambda?: Lambda;
  /** What queue URLs begin with. */
  endpoint?: string;
  /** How long a chunk is hidden from others whose receiver does not say. @default 12 h */
  hiddenSeconds?: number;
}

export async function openServices({
  workers,
  tasks,
  sqs = new Sqs({ strictTiming: false, bodyDigests: false, background: true }),
  lambda = new Lambda(),
  endpoint = 'http://localhost',
  hiddenSeconds = LONGEST_SECONDS,
}: ServicesOptions): Promise<LocalServices> {
  const names = namesOf(NAME);
  const client = createSqsClient(sqs, { ...PLAIN_SQS, endpoint });
  const { taskQueueUrl, deadQueueUrl } = await createQueues(client, names, hiddenSeconds);
  lambda.addFunction(names.seed, seedHandler(tasks, { sqs: client, name: NAME, workers }), {
    timeoutSeconds: LONGEST_SECONDS,
  });
  const lambdaClient = createLambdaClient(lambda);
  return {
    sqs,
    lambda,
    names,
    taskQueueUrl,
    deadQueueUrl,
    deployment: {
      sqs: client,
      lambda: lambdaClient,
      names,
      windowBytes: WINDOW_BYTES,
      keep,
    },
    async close() {
      await lambda.close();
      await sqs.close();
      client.destroy();
      lambdaClient.destroy();
    },
  };
}

async function createQueues(sqs: SQSClient, names: Names, hiddenSeconds: number) {
  const create = async (QueueName: string, Attributes: Record<string, string>) =>
    (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const deadQueueUrl = await create(names.dead, RETENTION);
  const asked = new GetQueueAttributesCommand({
    QueueUrl: deadQueueUrl,
    AttributeNames: ['QueueArn'],
  });
  const { Attributes: { QueueArn } = {} } = await sqs.send(asked);
  const redrive = { deadLetterTargetArn: QueueArn, maxReceiveCount: MAX_RECEIVE_COUNT };
  const taskQueueUrl = await create(names.tasks, {
    ...RETENTION,
    VisibilityTimeout: String(hiddenSeconds),
    RedrivePolicy: JSON.stringify(redrive),
  });
  await create(names.results, RETENTION);
  return { taskQueueUrl, deadQueueUrl };
}
