import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../errors.ts';
import { type Names, namesOf } from '../pipeline/names.ts';
import type { Metered } from '../pipeline/run/deployment.ts';
import { Meter } from '../pipeline/run/meter.ts';
import { type PayloadPlace, Payloads } from '../pipeline/run/payloads.ts';
import { findQueue } from '../pipeline/run/queues.ts';
import { RunQueues } from '../pipeline/run/run-queues.ts';
import { RunPaces } from '../pipeline/working/run-paces.ts';
import type { AsIf } from '../planning/as-if.ts';
import { UnmeteredRetries } from '../unmetered-retries.ts';

/** The part of Lambda's context that the handlers use. */
export interface LambdaContext {
  awsRequestId: string;
  functionName?: string;
  logStreamName?: string;
  getRemainingTimeInMillis(): number;
}

/** Options of all handlers; Lambda's environment provides their defaults. */
export interface HandlerOptions {
  /** @default a client from the environment, as in Lambda */
  sqs?: SQSClient;
  /** The deployment's name. @default the environment's FANFOLD_NAME */
  name?: string;
  /**
   * The deployment's task queue.
   * @default the environment's FANFOLD_TASK_QUEUE_URL if the name is the environment's too;
   * otherwise it is looked up by its name
   */
  taskQueueUrl?: string;
  /** Whether SQS is a Fanfold server and not AWS: it may have several addresses. @default false */
  onServer?: boolean;
  /**
   * Memory of the function in MiB, of whose invocations AWS bills the duration.
   * @default Lambda's own AWS_LAMBDA_FUNCTION_MEMORY_SIZE; without it, nothing is metered
   */
  memoryMb?: number;
  /** The deployment whose costs are metered in this process, instead. @default none */
  asIf?: AsIf | undefined;
  /**
   * Inputs and outputs that no message can hold.
   * @default the environment's FANFOLD_BUCKET, if the name is the environment's too
   */
  payloads?: Payloads | undefined;
  /** Starts burst workers. @default a client from the environment, made when it is needed */
  lambda?: LambdaClient;
}

/** Folders of S3 in which the deployment may store results, such as `s3://bucket/runs/`. */
export function resultPlacesOfEnvironment(): string[] {
  const text = process.env.FANFOLD_RESULT_PLACES;
  return text === undefined ? [] : (JSON.parse(text) as string[]);
}

/**
 * Limits of one request, in milliseconds, besides the time that a long poll waits. The SDK has none
 * by default, so that a lost packet could hold a function until its own timeout.
 */
const CONNECT_MS = 3_000;
const ANSWER_MS = 10_000;

/** Longest time to send or receive a large object, beside that of any answer. */
const OBJECT_SECONDS = 50;

/**
 * Attempts at one call. The SDK's pauses are random: up to a second at first if it is throttled, up to
 * twice as long each further time, 20 s at most. So a call outlasts about 45 s of throttling. A
 * call that fails after that loses nothing: its chunk is redelivered, or its seed request is sent
 * again.
 */
const CALL_TRIES = 9;

/**
 * Settings of a handler's client of any service. Each client needs its own.
 *
 * @param longSeconds time that its longest call needs besides, such as a long poll of SQS: if that
 * is aborted early, the messages that it would have received stay hidden
 */
export function callLimits(longSeconds = 0) {
  const answerMs = longSeconds * 1000 + ANSWER_MS;
  return {
    retryStrategy: new UnmeteredRetries(CALL_TRIES),
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: answerMs,
      socketTimeout: answerMs,
      throwOnRequestTimeout: true,
    },
  };
}

/** The meter of this process, which is a function's. It is made when INIT is about to end. */
function meterOf({ onServer, memoryMb, asIf }: HandlerOptions): Meter | undefined {
  if (asIf) return new Meter({ ...asIf, isAsIf: true });
  if (memoryMb !== undefined) return new Meter({ memoryMb });
  const { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: size, AWS_LAMBDA_INITIALIZATION_TYPE: type } =
    process.env;
  if (onServer || !size) return undefined;
  // With provisioned concurrency, INIT is not billed so, and ends long before an invocation.
  const isOnDemand = type === undefined || type === 'on-demand';
  return new Meter({ memoryMb: Number(size), initMs: isOnDemand ? performance.now() : 0 });
}

/**
 * A handler's deployment, and the clients that reach it. Nothing is made, read or requested before
 * it is needed: INIT must not fail, and a claim must not wait for anything else.
 */
export class Environment {
  readonly #options: HandlerOptions;
  readonly #pollSeconds: number;
  #sqs: SQSClient | undefined;
  #lambda: LambdaClient | undefined;
  #runs: RunQueues | undefined;
  #taskQueueUrl: string | undefined;
  /** Measures what this process uses; undefined if AWS bills nothing for it. */
  readonly meter: Meter | undefined;

  /** @param pollSeconds time for which its longest polls of SQS wait. @default 0 */
  constructor(options: HandlerOptions, pollSeconds = 0) {
    this.#options = options;
    this.#pollSeconds = pollSeconds;
    this.#sqs = options.sqs;
    this.#lambda = options.lambda;
    this.meter = meterOf(options);
    if (options.sqs) this.meter?.countSqs(options.sqs);
    this.payloads = options.payloads ?? new Payloads(() => this.#bucket());
  }

  get sqs(): SQSClient {
    if (this.#sqs) return this.#sqs;
    this.#sqs = new SQSClient({
      ...callLimits(this.#pollSeconds),
      // No message may decide which host is called.
      useQueueUrlAsEndpoint: false,
    });
    this.meter?.countSqs(this.#sqs);
    return this.#sqs;
  }

  get lambda(): LambdaClient {
    this.#lambda ??= new LambdaClient(callLimits());
    return this.#lambda;
  }

  /** What a collector in this process meters. */
  get metered(): Metered | undefined {
    const { meter } = this;
    const region = process.env.AWS_REGION ?? '';
    return meter && { region, usedFor: (runId) => meter.usedFor(runId) };
  }

  /** @throws FanfoldError `BadOption` when the environment does not name a deployment */
  get names(): Names {
    return namesOf(this.#options.name ?? process.env.FANFOLD_NAME ?? '');
  }

  /** Knowledge about runs, which later invocations reuse. */
  get runs(): RunQueues {
    this.#runs ??= new RunQueues(this.sqs, this.#options.onServer);
    return this.#runs;
  }

  /** Its bucket is used from the first input or output that no message can hold. */
  readonly payloads: Payloads;

  /** Paces of runs, which later invocations reuse. */
  readonly paces = new RunPaces();

  /** @throws FanfoldError `RunFailed` when the queue had to be looked up and does not exist */
  async taskQueueUrl(): Promise<string> {
    const { name, taskQueueUrl } = this.#options;
    const ofEnvironment = name === undefined ? process.env.FANFOLD_TASK_QUEUE_URL : undefined;
    this.#taskQueueUrl ??= taskQueueUrl ?? ofEnvironment ?? (await this.#find());
    return this.#taskQueueUrl;
  }

  async #bucket(): Promise<PayloadPlace | undefined> {
    const { name } = this.#options;
    const bucket = name === undefined ? process.env.FANFOLD_BUCKET : undefined;
    if (bucket === undefined) return undefined;
    // It is large, and few runs need it.
    const { S3Client } = await import('@aws-sdk/client-s3');
    const s3 = new S3Client(callLimits(OBJECT_SECONDS));
    this.meter?.countS3(s3);
    return { bucket, s3 };
  }

  async #find(): Promise<string> {
    const { name, tasks } = this.names;
    const url = await findQueue(this.sqs, tasks);
    if (url !== undefined) return url;
    throw new FanfoldError(
      'RunFailed',
      `The deployment "${name}" has no queue ${tasks}: check FANFOLD_NAME, and that the deployment exists.`,
    );
  }
}
