import {
  CreateQueueCommand,
  type SQSClient,
  type SQSClientResolvedConfig,
} from '@aws-sdk/client-sqs';
import { vi } from 'vitest';
import { createLambdaClient, Lambda } from '../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { inProcess } from '../../src/emulator/transport/index.ts';
import {
  type BurstResponse,
  burstHandler,
  type s3Inputs,
  seedHandler,
  type WatchOptions,
  workerHandler,
} from '../../src/handlers.ts';
import type { Run } from '../../src/pipeline/collecting/run.ts';
import type { Result } from '../../src/pipeline/messages/result.ts';
import { namesOf } from '../../src/pipeline/names.ts';
import type { Deployment } from '../../src/pipeline/run/deployment.ts';
import { Payloads } from '../../src/pipeline/run/payloads.ts';
import type { AnyTask } from '../../src/task.ts';
import { TaskRegistry } from '../../src/task-registry.ts';

export interface VirtualOptions {
  /** The tasks of the workers. @default those of the seed */
  workerTasks?: AnyTask[];
  /** Invocations at once. @default 1 */
  workers?: number;
  /** @default 60 */
  sliceSeconds?: number;
  /** Burst workers that a run may start. @default 0 */
  burst?: number;
  /** Timeout of the burst function. @default 900 */
  burstTimeoutSeconds?: number;
  /** Folders of S3 in which a collector function stores results. @default none */
  resultPlaces?: string[];
  /** Inputs and outputs that no message can hold. @default there can be none */
  payloads?: Payloads;
  /** Callbacks of the handlers. */
  watching?: WatchOptions;
  /** Reads inputs from S3. @default such runs are refused */
  s3?: ReturnType<typeof s3Inputs>;
  /** Memory of the functions in MiB, which meters them. @default they are not metered */
  memoryMb?: number | undefined;
}

/**
 * A deployment as on AWS, with the seed and the worker function and its event source, in virtual
 * time: call it after `vi.useFakeTimers()`. Each invocation of a worker is a process of its own.
 */
export async function virtualDeployment(
  tasks: AnyTask[],
  {
    workerTasks = tasks,
    workers = 1,
    sliceSeconds = 60,
    burst = 0,
    burstTimeoutSeconds = 900,
    resultPlaces = [],
    payloads = new Payloads(() => Promise.resolve(undefined)),
    watching = {},
    s3,
    memoryMb,
  }: VirtualOptions = {},
) {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  const lambda = new Lambda();
  const names = namesOf('virtual');
  const create = async (QueueName: string, Attributes = {}) =>
    (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const deadQueueUrl = await create(names.dead);
  // As on AWS: the function's timeout and a minute.
  const taskQueueUrl = await create(names.tasks, { VisibilityTimeout: '960' });
  const laneQueueUrl = await create(names.lanes, { FifoQueue: 'true', VisibilityTimeout: '960' });
  const lambdaClient = createLambdaClient(lambda);
  const metered = memoryMb === undefined ? {} : { memoryMb };
  const here = {
    ...{ sqs: client, lambda: lambdaClient, name: names.name, payloads },
    ...{ ...metered, ...watching },
  };
  lambda.addFunction(
    names.seed,
    seedHandler(registry(tasks), { ...here, burst, workers, resultPlaces, ...(s3 && { s3 }) }),
    {
      timeoutSeconds: 60,
    },
  );
  /** Responses of the burst workers, in the order of their ends. */
  const bursts: BurstResponse[] = [];
  lambda.addFunction(
    names.burst,
    async (event, context) => {
      const { client: own, died } = mortalClient(sqs);
      const handle = burstHandler(registry(workerTasks), { ...here, sqs: own, sliceSeconds });
      const answer = await Promise.race([handle(event, context), died]);
      bursts.push(answer);
      return answer;
    },
    { timeoutSeconds: burstTimeoutSeconds },
  );
  lambda.addFunction(
    names.worker,
    (event, context) => {
      const { client: own, died } = mortalClient(sqs);
      const place = { sqs: own, name: names.name, payloads };
      const options = { ...metered, ...watching, ...place, sliceSeconds };
      return Promise.race([workerHandler(registry(workerTasks), options)(event, context), died]);
    },
    { timeoutSeconds: 900 },
  );
  const deployment: Deployment = {
    sqs: client,
    lambda: lambdaClient,
    names,
    payloads,
  };
  return {
    sqs,
    client,
    lambda,
    deployment,
    taskQueueUrl,
    deadQueueUrl,
    bursts,
    tasksLeft: () => sqs.peek(names.tasks),
    /** Starts the event sources. */
    startWorkers() {
      for (const queueUrl of [taskQueueUrl, laneQueueUrl]) {
        lambda.addSqsEventSource(names.worker, {
          sqs: client,
          queueUrl,
          batchSize: 1,
          maxConcurrency: workers,
          reportBatchItemFailures: true,
        });
      }
    },
    async close() {
      // Running invocations continue in virtual time.
      const closing = lambda.close();
      await vi.advanceTimersByTimeAsync(900_000);
      await closing;
      sqs.close();
    },
  };
}

function registry(tasks: AnyTask[]): TaskRegistry {
  const made = new TaskRegistry();
  for (const task of tasks) made.add(task);
  return made;
}

let current: (() => void) | undefined;

/** Ends the process of the worker that started last: from now on none of its requests arrives. */
export function die(): Promise<never> {
  current?.();
  return new Promise(() => {});
}

/** A client that ends with its process, which Lambda notices. */
function mortalClient(sqs: Sqs): { client: SQSClient; died: Promise<never> } {
  let dead = false;
  const { promise: died, reject } = Promise.withResolvers<never>();
  died.catch(() => {});
  const alive = inProcess(sqs.service);
  const client = createSqsClient(sqs, {
    requestHandler: {
      ...alive,
      handle: (...args: Parameters<typeof alive.handle>) =>
        dead ? new Promise<never>(() => {}) : alive.handle(...args),
    } as unknown as SQSClientResolvedConfig['requestHandler'],
  });
  current = () => {
    dead = true;
    reject(new Error('Runtime exited with error: exit status 1'));
  };
  return { client, died };
}

/** Lets virtual time pass until the run is over; returns its results and duration in seconds. */
export async function runThrough<Output>(
  run: Run<Output>,
  limitSeconds = 86_400,
): Promise<{ results: Result<Output>[]; seconds: number }> {
  const startedAt = Date.now();
  let results: Result<Output>[] | undefined;
  let failure: unknown;
  Array.fromAsync(run).then(
    (all) => {
      results = all;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  while (results === undefined && failure === undefined) {
    if (Date.now() - startedAt > limitSeconds * 1000) {
      throw new Error(`The run is not over after ${limitSeconds} s: ${JSON.stringify(run.ledger)}`);
    }
    // An SDK call runs many microtasks: no time passes until all of them have run.
    await new Promise(setImmediate);
    if (results === undefined && failure === undefined) await vi.advanceTimersToNextTimerAsync();
  }
  if (results === undefined) throw failure;
  results.sort((a, b) => a.index - b.index);
  return { results, seconds: (Date.now() - startedAt) / 1000 };
}

/** Lets virtual time pass until a promise is settled, and returns its value. */
export async function within<T>(seconds: number, promise: Promise<T>): Promise<T> {
  const limit = Date.now() + seconds * 1000;
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  for (;;) {
    await new Promise(setImmediate);
    if (settled) return promise;
    if (Date.now() > limit) throw new Error(`It did not settle within ${seconds} s.`);
    await vi.advanceTimersByTimeAsync(100);
  }
}
