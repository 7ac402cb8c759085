import { CreateQueueCommand, type SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { createLambdaClient, Lambda } from '../../emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../emulator/sqs/index.ts';
import { inProcess, type Service } from '../../emulator/transport/index.ts';
import { PLAIN_SQS } from '../../endpoint/plain-sdk.ts';
import { type BurstResponse, burstHandler } from '../../handlers/burst.ts';
import { seedHandler } from '../../handlers/seed.ts';
import type { WatchOptions } from '../../handlers/telemetry.ts';
import { workerHandler } from '../../handlers/worker.ts';
import { namesOf } from '../../pipeline/names.ts';
import { clientMeter } from '../../pipeline/run/client-meter.ts';
import { type Call, countRequests } from '../../pipeline/run/count-requests.ts';
import type { Deployment } from '../../pipeline/run/deployment.ts';
import type { TaskRegistry } from '../../task-registry.ts';
import type { Behaviour } from './behaviour.ts';
import { Bill } from './bill.ts';
import type { Random } from './random.ts';
import { shortReceives } from './short-receives.ts';

export interface VirtualStackOptions {
  /** The tasks of a new execution environment. */
  tasks: () => TaskRegistry;
  /** Maximum number of concurrent workers, including burst workers. */
  maxConcurrency: number;
  /** Number of those workers that the seed starts. */
  burst: number;
  /** Called for each execution environment. */
  watching: () => WatchOptions;
  /**
   * Source of the variation on AWS: each call takes from 0.75 to 1.25 times its latency, and the
   * collector's receives may be short. @default no variation
   */
  random?: Random;
  /** How AWS behaves. @default calls take 10 ms, the collector's 60 ms, and nothing else any time */
  behaviour?: Behaviour;
  /** Memory of a worker, in MiB. @default 1024 */
  memoryMb?: number;
  /**
   * The part of a deployment that this is, which others are like: its workers, and the growth of
   * its event sources, are this share of the whole, which has `whole` workers and inputs.
   * @default it is the whole
   */
  part?: { share: number; whole: { workers: number; inputs: number } };
  /** Concurrent invocations of the worker function. @default 1000 */
  workerConcurrency?: number;
  /**
   * Time after which the process of a new burst worker dies, in milliseconds.
   * @default none dies
   */
  burstDiesAfterMs?: () => number | undefined;
}

/** Milliseconds per call: within a region, and from outside AWS. */
const LATENCY_MS = { function: 10, collector: 60 };

const WORKER_TIMEOUT_SECONDS = 900;

interface Context {
  awsRequestId: string;
  logStreamName: string;
  getRemainingTimeInMillis(): number;
}
type Handler = (event: unknown, context: Context) => Promise<unknown>;

/**
 * Makes a deployment like that of the CDK stack, in virtual time, with AWS's latencies, the scaling
 * of its event sources, and a bill. Install fake timers first. Each execution environment has its
 * own handler, so that it doesn't share state with others.
 */
export async function virtualStack(options: VirtualStackOptions) {
  const { tasks, maxConcurrency, burst, watching, random } = options;
  const { burstDiesAfterMs = () => undefined, behaviour, memoryMb = 1024, part } = options;
  const sqs = new Sqs({ bodyDigests: false });
  const lambda = new Lambda();
  const bill = new Bill();
  const names = namesOf('Bill');
  const bare = createSqsClient(sqs, { md5: false });
  const create = async (QueueName: string, Attributes = {}) =>
    (await bare.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const VisibilityTimeout = String(WORKER_TIMEOUT_SECONDS + 60);
  const queueUrls = [
    await create(names.tasks, { VisibilityTimeout }),
    await create(names.lanes, { FifoQueue: 'true', VisibilityTimeout }),
  ];
  await create(names.dead);
  await create(names.results);
  await create(names.ended);
  // The collector uses JSON, to count egress as it is sent. Within AWS, CBOR is faster and billed
  // the same.
  const clientOf = (caller: keyof typeof LATENCY_MS, as: string = caller) =>
    late(
      caller === 'collector' && random ? shortReceives(sqs, random) : sqs.service,
      caller === 'collector' ? {} : PLAIN_SQS,
      behaviour
        ? () => behaviour.callMs(caller)
        : () => LATENCY_MS[caller] * (random ? 0.75 + random.next() / 2 : 1),
      (call) => bill.addCall(as, call),
    );
  const lambdaFor = (caller: keyof typeof LATENCY_MS) =>
    createLambdaClient(lambda, {
      requestHandler: delayed(lambda.service, () => behaviour?.invokeMs(caller) ?? 0),
    });
  const handlers = {
    lambda: lambdaFor('function'),
    name: names.name,
    memoryMb,
  };
  const add = (
    name: string,
    timeoutSeconds: number,
    make: () => Handler,
    options: { maxRetryAttempts?: number; concurrency?: number } = {},
  ) => {
    const short = name.replace('Bill-', '');
    const environments = new Map<string, Handler>();
    lambda.addFunction(
      name,
      async (event, context) => {
        let handler = environments.get(context.logStreamName);
        const initMs = handler === undefined ? await behaviour?.newEnvironment(short) : undefined;
        handler ??= make();
        environments.set(context.logStreamName, handler);
        const ended = bill.begin(short, performance.now() - (initMs ?? 0));
        return handler(event, context).finally(ended);
      },
      { timeoutSeconds, ...options },
    );
  };
  add(names.seed, 900, () => {
    const seed = seedHandler(tasks(), {
      ...handlers,
      ...watching(),
      sqs: clientOf('function', 'seed'),
      burst,
      workers: part?.whole.workers ?? maxConcurrency,
    });
    if (part === undefined) return seed;
    const isPage = (event: unknown) => Object(event).inputs !== undefined;
    return (event, context) =>
      seed(isPage(event) ? { ...Object(event), about: part.whole.inputs } : event, context);
  });
  const worker = () => ({ ...handlers, ...watching(), sqs: clientOf('function', 'worker') });
  add(
    names.worker,
    WORKER_TIMEOUT_SECONDS,
    () => workerHandler(tasks(), worker()) as Handler,
    options.workerConcurrency === undefined ? {} : { concurrency: options.workerConcurrency },
  );
  add(
    names.burst,
    WORKER_TIMEOUT_SECONDS,
    () => {
      const given = worker();
      const handle: (event: unknown, context: Context) => Promise<BurstResponse> = burstHandler(
        tasks(),
        given,
      );
      const ms = burstDiesAfterMs();
      return ms === undefined ? handle : mortal(handle, given.sqs, ms);
    },
    { maxRetryAttempts: 0 },
  );
  const pollerSqs = clientOf('function', 'poller');
  for (const queueUrl of queueUrls) {
    lambda.addSqsEventSource(names.worker, {
      sqs: pollerSqs,
      queueUrl,
      batchSize: 1,
      minConcurrency: Math.max(1, Math.round(5 * (part?.share ?? 1))),
      maxConcurrency: maxConcurrency - burst,
      ramp: part?.share ?? true,
      reportBatchItemFailures: true,
    });
  }
  const collector = clientOf('collector');
  const deployment: Deployment = {
    ...{ sqs: collector, lambda: lambdaFor('collector'), names, countsLate: true },
    metered: clientMeter(collector, 'us-east-1', false),
  };
  return { deployment, bill, close: () => lambda.close() };
}

/** A handler whose process dies: its invocation fails, and it makes no further call. */
function mortal(handle: Handler, sqs: SQSClient, ms: number): Handler {
  const dying = Promise.withResolvers<never>();
  dying.promise.catch(() => {});
  setTimeout(() => dying.reject(new Error('Runtime exited with error: signal: killed')), ms);
  const diesAt = performance.now() + ms;
  sqs.middlewareStack.add(
    (next) => (call) => (performance.now() < diesAt ? next(call) : new Promise<never>(() => {})),
    { step: 'build' },
  );
  return (event, context) => Promise.race([dying.promise, handle(event, context)]);
}

/** A client whose calls take virtual time, and are counted. */
function late(
  service: Service,
  config: SQSClientConfig,
  latencyMs: () => number,
  seen: (call: Call) => void,
): SQSClient {
  const requestHandler = delayed(service, latencyMs);
  const client = createSqsClient(undefined, { ...config, requestHandler, md5: false });
  countRequests(client, seen);
  return client;
}

/** A service in this process whose answers take virtual time. */
function delayed(service: Service, latencyMs: () => number) {
  const handler = inProcess(service);
  return {
    ...handler,
    async handle(...call: Parameters<typeof handler.handle>) {
      const answered = await handler.handle(...call);
      await new Promise((resolve) => setTimeout(resolve, latencyMs()));
      return answered;
    },
  };
}
