import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../errors.ts';
import { type Names, namesOf } from '../pipeline/names.ts';
import { findQueue, RunQueues } from '../pipeline/queues.ts';
import { TaskRegistry } from '../task.ts';
import { PatientRetries } from './patience.ts';

/** The part of Lambda's context that the handlers use. */
export interface LambdaContext {
  awsRequestId: string;
  functionName?: string;
  logStreamName?: string;
  getRemainingTimeInMillis(): number;
}

export interface HandlerOptions {
  /** @default a client from the environment, as in Lambda */
  sqs?: SQSClient;
  /** The deployment's name. @default the environment's FANFOLD_NAME */
  name?: string;
  /** Starts burst workers. @default a client from the environment, made when it is needed */
  lambda?: LambdaClient;
}

/** How long a worker function keeps one chunk, in seconds. */
export const LAMBDA_SLICE_SECONDS = 60;

/** Where a handler is: its deployment's queues, and the clients it reaches them by. */
export interface Place {
  sqs: SQSClient;
  lambda: () => LambdaClient;
  names: Names;
  taskQueueUrl: string;
  /** What one invocation finds out about a run, the next one need not. */
  runs: RunQueues;
}

/** Where the handler is: found at the first call, since Lambda's init must not fail for a network. */
export function lazyPlace(options: HandlerOptions): () => Promise<Place> {
  let place: Promise<Place> | undefined;
  let { lambda } = options;
  const find = async (): Promise<Place> => {
    const names = namesOf(options.name ?? process.env.FANFOLD_NAME ?? '');
    const sqs = options.sqs ?? new SQSClient({ retryStrategy: new PatientRetries() });
    const taskQueueUrl = await queueUrl(sqs, names, names.tasks);
    const lambdaClient = () => {
      lambda ??= new LambdaClient({ retryStrategy: new PatientRetries() });
      return lambda;
    };
    return { sqs, lambda: lambdaClient, names, taskQueueUrl, runs: new RunQueues(sqs) };
  };
  return () => {
    place ??= find().catch((error: unknown) => {
      place = undefined;
      throw error;
    });
    return place;
  };
}

const found = new WeakMap<SQSClient, Map<string, string>>();

/** The URL of one of the deployment's queues, asked for once. */
export async function queueUrl(sqs: SQSClient, names: Names, queue: string): Promise<string> {
  const known = found.get(sqs) ?? new Map<string, string>();
  found.set(sqs, known);
  const url = known.get(queue) ?? (await findQueue(sqs, queue));
  if (url === undefined) {
    throw new FanfoldError(
      'RunFailed',
      `The deployment "${names.name}" has no queue ${queue}: check FANFOLD_NAME and that it is deployed.`,
    );
  }
  known.set(queue, url);
  return url;
}

export function registryOf(tasks: object): TaskRegistry {
  return tasks instanceof TaskRegistry ? tasks : TaskRegistry.fromModule(tasks);
}

/** Lambda's log stream names one execution environment: its last part is short and unique enough. */
export function workerName({ logStreamName, awsRequestId }: LambdaContext): string {
  return (logStreamName?.split(/[\]/]/).at(-1) || awsRequestId).slice(0, 100);
}
