import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../errors.ts';
import { type Names, namesOf } from '../pipeline/names.ts';
import { findQueue, RunQueues } from '../pipeline/run/queues.ts';
import { UnmeteredRetries } from '../unmetered-retries.ts';

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
  /**
   * The deployment's task queue.
   * @default the environment's FANFOLD_TASK_QUEUE_URL where the name is the environment's too; else
   * it is looked up by its name
   */
  taskQueueUrl?: string;
  /** Whether SQS is a server of ours and not AWS: it may be reached at several addresses. @default false */
  onServer?: boolean;
  /** Starts burst workers. @default a client from the environment, made when it is needed */
  lambda?: LambdaClient;
}

/** How long a worker function keeps one chunk, in seconds. */
export const LAMBDA_SLICE_SECONDS = 60;

/**
 * Limits of one request, in milliseconds: the SDK has none by default, so that a lost packet can
 * hold a function until its own timeout. A burst worker's long poll takes 5 s.
 */
export const REQUEST_LIMITS = {
  connectionTimeout: 3_000,
  requestTimeout: 10_000,
  socketTimeout: 10_000,
  throwOnRequestTimeout: true,
};

/**
 * Tries at one call. The SDK's pauses are drawn at random: up to a second at first where it is
 * throttled, up to twice as long each further time, 20 s at most. So about 45 s of throttling are
 * waited out. A call that fails after that loses nothing: its chunk is redelivered, its seed request
 * is sent again.
 */
const CALL_TRIES = 9;

/**
 * The deployment that a handler is part of, and the clients it is reached by. Nothing is made, read
 * or asked for before it is needed: INIT must not fail, and a claim must wait for nothing else.
 */
export class Environment {
  readonly #options: HandlerOptions;
  #sqs: SQSClient | undefined;
  #lambda: LambdaClient | undefined;
  #runs: RunQueues | undefined;
  #taskQueueUrl: string | undefined;

  constructor(options: HandlerOptions) {
    this.#options = options;
    this.#sqs = options.sqs;
    this.#lambda = options.lambda;
  }

  get sqs(): SQSClient {
    this.#sqs ??= new SQSClient({
      retryStrategy: new UnmeteredRetries(CALL_TRIES),
      requestHandler: REQUEST_LIMITS,
      // No message decides which host is talked to.
      useQueueUrlAsEndpoint: false,
    });
    return this.#sqs;
  }

  get lambda(): LambdaClient {
    this.#lambda ??= new LambdaClient({
      retryStrategy: new UnmeteredRetries(CALL_TRIES),
      requestHandler: REQUEST_LIMITS,
    });
    return this.#lambda;
  }

  /** @throws FanfoldError `BadOption` when the environment has no deployment's name */
  get names(): Names {
    return namesOf(this.#options.name ?? process.env.FANFOLD_NAME ?? '');
  }

  /** What one invocation finds out about a run, the next one need not. */
  get runs(): RunQueues {
    this.#runs ??= new RunQueues(this.sqs);
    return this.#runs;
  }

  /** @throws FanfoldError `RunFailed` when the queue had to be looked up and is not there */
  async taskQueueUrl(): Promise<string> {
    const { name, taskQueueUrl } = this.#options;
    const ofEnvironment = name === undefined ? process.env.FANFOLD_TASK_QUEUE_URL : undefined;
    this.#taskQueueUrl ??= taskQueueUrl ?? ofEnvironment ?? (await this.#find());
    return this.#taskQueueUrl;
  }

  async #find(): Promise<string> {
    const { name, tasks } = this.names;
    const url = await findQueue(this.sqs, tasks);
    if (url !== undefined) return url;
    throw new FanfoldError(
      'RunFailed',
      `The deployment "${name}" has no queue ${tasks}: check FANFOLD_NAME and that it is deployed.`,
    );
  }
}

/** Lambda's log stream names one execution environment: its last part is short and unique enough. */
export function workerName({ logStreamName, awsRequestId }: LambdaContext): string {
  return (logStreamName?.split(/[\]/]/).at(-1) || awsRequestId).slice(0, 100);
}
