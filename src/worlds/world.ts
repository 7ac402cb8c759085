import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { createLambdaClient, Lambda } from '../emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../emulator/sqs/index.ts';
import { PLAIN_SQS } from '../endpoint/plain-sdk.ts';
import { FanfoldError, messageOf } from '../errors.ts';
import { seedHandler } from '../handlers/seed.ts';
import { keep } from '../keep.ts';
import { type Names, namesOf } from '../pipeline/names.ts';
import { clientMeter } from '../pipeline/run/client-meter.ts';
import type { Deployment } from '../pipeline/run/deployment.ts';
import { writeBucket } from '../pipeline/run/tags.ts';
import type { StoreClients } from '../pipeline/runs/stored-run.ts';
import type { beginStored, findStored } from '../pipeline/runs/stored-runs.ts';
import type { WriteLog } from '../pipeline/working/log-line.ts';
import type { AsIf } from '../planning/as-if.ts';
import type { Measured } from '../processes/measuring.ts';
import type { AnyTask } from '../task.ts';
import type { TaskRegistry } from '../task-registry.ts';
import { BUCKET, LocalObjects } from './local-objects.ts';

/** The services behind the SDK clients: AWS, a server, or this process. */
export interface World {
  readonly deployment: Deployment;
  /** Access to results in S3; undefined if they are not stored there. */
  readonly store?: Store;
  /** Names of the tasks that can be run; undefined if they can't be known. */
  readonly tasks: readonly string[] | undefined;
  /** Makes a task runnable, if tasks run in this process. */
  add(task: AnyTask): void;
  /** Forgets a task that was added; undefined if tasks don't run in this process. */
  remove?(task: AnyTask): void;
  /** Names of the tasks added so far, if only added tasks can be run. */
  added?(): readonly string[];
  /**
   * Refuses a run that one of this world's own tasks starts, since it could wait for itself.
   *
   * @throws FanfoldError `NestedRun`
   */
  refuseNested?(): void;
  /**
   * Begins to measure the work of the processes that run tasks, if they are on this machine; returns
   * what ends that.
   */
  measure?(): () => Promise<Measured[]>;
  /**
   * Opens one like it, whose tasks include `echo` or can be added, to measure the pipeline itself;
   * undefined where tasks run elsewhere.
   */
  openLike?(): Promise<World>;
  /** Called when a run starts: if a task waits for it, one more worker may run until it ends. */
  started?(ended: Promise<void>): void;
  close(): Promise<void>;
}

/** Clients for results in S3, and the code that stores them: only few programs load it. */
export interface Store {
  clients: StoreClients;
  begin: typeof beginStored;
  find: typeof findStored;
}

/** @throws FanfoldError `BadOption` when results are not stored there */
export function storeOf({ store }: World): Store {
  if (store) return store;
  throw new FanfoldError(
    'BadOption',
    'Only a stack stores results in S3: connect to one with `stack`. Elsewhere, write the results that a run yields.',
  );
}

/** Name of a local deployment. */
export const NAME = 'fanfold';

/** Maximum bytes of inputs and results that a local run keeps in memory. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** SQS's longest visibility timeout, 12 h: chunks return only when a worker gives them back. */
const LONGEST_SECONDS = 43_200;

/** High enough that the pipeline's own cuts find a poison message long before. */
const MAX_RECEIVE_COUNT = 100;

/** Two weeks, SQS's longest. */
const RETENTION = { MessageRetentionPeriod: '1209600' };

/** Runs that have ended are listed for a day. */
const ENDED_RETENTION = { MessageRetentionPeriod: '86400' };

/** A lane must not wait for another one, as in a FIFO queue with one order for all. */
const LANES = {
  FifoQueue: 'true',
  DeduplicationScope: 'messageGroup',
  FifoThroughputLimit: 'perMessageGroupId',
};

/** Memory of a stack's seed function, in MiB. */
const SEED_MB = 1_024;

/** Slice of a local worker: how long it keeps one chunk, in seconds. */
export const LOCAL_SLICE_SECONDS = 5;

/** SQS and Lambda in this process, with the deployment's queues and seed function. */
export interface LocalServices {
  readonly sqs: Sqs;
  readonly lambda: Lambda;
  readonly names: Names;
  readonly taskQueueUrl: string;
  readonly deadQueueUrl: string;
  readonly deployment: Deployment;
  readonly objects: LocalObjects;
  /** Makes another client for SQS. */
  newClient(): SQSClient;
  close(): Promise<void>;
}

/**
 * Time for which SQS remembers the attempts to receive: a killed worker process is replaced sooner.
 * AWS's five minutes would take more memory, and lanes need no deduplication.
 */
const ATTEMPT_SECONDS = 60;

export interface ServicesOptions {
  /** Number of workers that the seed cuts chunks for. */
  workers: number;
  /** Tasks whose runs the seed function accepts. */
  tasks: TaskRegistry;
  /**
   * Whether runs that have ended are listed for a day. In a process of many runs the list would take
   * more and more memory, for readers that do not exist.
   * @default false
   */
  listsEnded?: boolean;
  /** @default an SQS for processes of this Fanfold only */
  sqs?: Sqs;
  lambda?: Lambda;
  /** Origin of queue URLs. @default 'http://localhost' */
  endpoint?: string;
  /** The folder that keeps large inputs and outputs. @default a temporary one */
  objectsFolder?: string | undefined;
  /** The task queue's visibility timeout, for receivers that set none. @default 12 h */
  hiddenSeconds?: number;
  /**
   * Receives a line if the seed function fails.
   * @default none: in this process, its caller reports the error
   */
  onSeedFailed?: (line: string) => void;
  /** The deployment whose costs are metered. @default nothing is */
  asIf?: AsIf | undefined;
  /** Counts the workers that are there now. @default all are */
  liveWorkers?: () => number;
}

export async function openServices({
  workers,
  tasks,
  listsEnded = false,
  sqs = new Sqs({
    ...{ strictTiming: false, bodyDigests: false, background: true },
    fifoMemorySeconds: ATTEMPT_SECONDS,
  }),
  lambda = new Lambda(),
  endpoint = 'http://localhost',
  hiddenSeconds = LONGEST_SECONDS,
  onSeedFailed = () => {},
  liveWorkers,
  objectsFolder,
  asIf,
}: ServicesOptions): Promise<LocalServices> {
  const names = namesOf(NAME);
  const newClient = () => createSqsClient(sqs, { ...PLAIN_SQS, endpoint });
  const client = newClient();
  const { taskQueueUrl, deadQueueUrl } = await createQueues(client, names, hiddenSeconds);
  await writeBucket(client, taskQueueUrl, BUCKET);
  const objects = new LocalObjects({ folder: objectsFolder, region: sqs.region });
  const { payloads } = objects;
  if (listsEnded) await createQueue(client, names.ended, ENDED_RETENTION);
  const log: WriteLog = (level, message, fields) => {
    if (level !== 'error') return;
    const { error } = Object(fields) as { error?: unknown };
    onSeedFailed(`${message}: ${messageOf(error)}`);
  };
  const seed = seedHandler(tasks, {
    ...{ name: NAME, workers, liveWorkers, log, payloads },
    // What the seed uses is metered apart from what the collector does.
    ...(asIf ? { sqs: newClient(), asIf: { ...asIf, memoryMb: SEED_MB } } : { sqs: client }),
  });
  lambda.addFunction(names.seed, seed, { timeoutSeconds: LONGEST_SECONDS });
  const lambdaClient = createLambdaClient(lambda);
  return {
    sqs,
    lambda,
    names,
    taskQueueUrl,
    deadQueueUrl,
    objects,
    deployment: {
      payloads,
      sqs: client,
      lambda: lambdaClient,
      names,
      windowBytes: WINDOW_BYTES,
      waiting() {
        const fresh = sqs.peek(names.tasks).filter(({ receiveCount }) => receiveCount === 0);
        return fresh.map(({ body }) => body);
      },
      keep,
      ...(asIf && { metered: clientMeter(client, asIf.region, false, true) }),
    },
    newClient,
    async close() {
      await lambda.close();
      await sqs.close();
      await objects.close();
      client.destroy();
      lambdaClient.destroy();
    },
  };
}

async function createQueues(sqs: SQSClient, names: Names, hiddenSeconds: number) {
  const deadQueueUrl = await createQueue(sqs, names.dead, RETENTION);
  const asked = new GetQueueAttributesCommand({
    QueueUrl: deadQueueUrl,
    AttributeNames: ['QueueArn'],
  });
  const { Attributes: { QueueArn } = {} } = await sqs.send(asked);
  const redrive = { deadLetterTargetArn: QueueArn, maxReceiveCount: MAX_RECEIVE_COUNT };
  const taskQueueUrl = await createQueue(sqs, names.tasks, {
    ...RETENTION,
    VisibilityTimeout: String(hiddenSeconds),
    RedrivePolicy: JSON.stringify(redrive),
  });
  await createQueue(sqs, names.results, RETENTION);
  // Without dead letters: a chunk that is received again leaves its lane, cut.
  const lanes = { ...RETENTION, ...LANES, VisibilityTimeout: String(hiddenSeconds) };
  await createQueue(sqs, names.lanes, lanes);
  return { taskQueueUrl, deadQueueUrl };
}

/** Creates a queue, or finds it; returns its URL. */
async function createQueue(sqs: SQSClient, QueueName: string, Attributes: Record<string, string>) {
  return (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
}
