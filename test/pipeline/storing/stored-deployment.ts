import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, vi } from 'vitest';
import { createLambdaClient } from '../../../src/emulator/lambda/index.ts';
import { createS3Client, S3 } from '../../../src/emulator/s3/index.ts';
import { createSqsClient } from '../../../src/emulator/sqs/index.ts';
import { inProcess } from '../../../src/emulator/transport/index.ts';
import { Fanfold } from '../../../src/fanfold.ts';
import { collectorHandler, s3Inputs, type WatchOptions } from '../../../src/handlers.ts';
import type { SeedRequest } from '../../../src/pipeline/messages/seed-request.ts';
import type { SeedResponse } from '../../../src/pipeline/messages/seed-response.ts';
import { callFunction } from '../../../src/pipeline/run/call-function.ts';
import { Payloads } from '../../../src/pipeline/run/payloads.ts';
import { beginStored, findStored } from '../../../src/pipeline/runs/stored-runs.ts';
import type { Manifest } from '../../../src/pipeline/storing/manifest.ts';
import { linesOf } from '../../../src/pipeline/storing/part-reader.ts';
import type { PartLimits } from '../../../src/pipeline/storing/part-store.ts';
import { type AnyTask, defineTask } from '../../../src/task.ts';
import { virtualDeployment } from '../virtual-deployment.ts';

/** A task of which one input in a hundred fails. */
export const half = defineTask({
  name: 'half',
  maxAttempts: 1,
  run(input: number) {
    if (input % 100 === 7) throw new Error(`odd input ${input}`);
    return { half: input / 2 };
  },
});

/** Lets each test of a file have virtual time. */
export function inVirtualTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: [
        ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const),
        ...(['Date', 'performance'] as const),
      ],
    });
  });
  afterEach(() => void vi.useRealTimers());
}

/** A call that a collector function makes. */
export interface Call {
  /** Counted over all collectors of the deployment, from 1. */
  number: number;
  service: 'sqs' | 's3' | 'lambda' | 'events';
  method: string;
  path: string;
}

/** What becomes of a call: its process dies before it arrives, or before its answer does. */
export type Fate = 'dies before' | 'dies after' | undefined;

export interface StoredOptions {
  workers?: number;
  /** Whether the event source starts workers, too. @default true, unless there are none */
  hasEventSource?: boolean;
  /** Burst workers that a run may start. @default 0 */
  burst?: number;
  /** Callbacks of the seed and worker functions. */
  watching?: WatchOptions;
  limits?: PartLimits;
  /** Decides what becomes of each call. @default all are answered */
  fateOf?: (call: Call) => Fate;
  /** How long a call takes, in milliseconds. @default no time */
  msOf?: (call: Call) => number;
  /** Timeout of the collector function. @default 900 */
  timeoutSeconds?: number;
  /** Memory of the functions in MiB, which meters them. @default they are not metered */
  memoryMb?: number;
  onGivenUp?: () => void;
}

export const BUCKET = 'results-of-tests';

/** A deployment whose collector function stores results in S3, in virtual time or in real time. */
export async function storedDeployment(tasks: AnyTask[], options: StoredOptions = {}) {
  const { workers = 4, limits = {}, fateOf = () => undefined, msOf = () => 0 } = options;
  const { timeoutSeconds = 900, memoryMb, onGivenUp = () => {} } = options;
  const { burst = 0, watching = {}, hasEventSource = workers > 0 } = options;
  const resultPlaces = [`s3://${BUCKET}/runs/`];
  const objects = new S3({ minPartBytes: 0 });
  const s3 = createS3Client(objects);
  const payloadsBy = (client: S3Client) =>
    new Payloads(() => Promise.resolve({ s3: client, bucket: BUCKET }));
  const made = await virtualDeployment(tasks, {
    ...{ workers, burst, watching, resultPlaces, memoryMb, payloads: payloadsBy(s3) },
    s3: s3Inputs(s3),
  });
  const { sqs, lambda, deployment } = made;
  const { names } = deployment;
  for (const QueueName of [names.results, names.ended]) {
    await made.client.send(new CreateQueueCommand({ QueueName }));
  }
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const calls: Call[] = [];
  const events: { type: string; detail: Record<string, unknown> }[] = [];
  const bus: Parameters<typeof inProcess>[0] = ({ body }) => {
    const { Entries } = JSON.parse(String(Buffer.from(body as Uint8Array)));
    for (const { DetailType, Detail } of Entries) {
      events.push({ type: DetailType, detail: JSON.parse(Detail) });
    }
    const answer = { FailedEntryCount: 0, Entries: [{ EventId: '1' }] };
    return Promise.resolve({ status: 200, headers: {}, body: JSON.stringify(answer) });
  };

  /** Clients of a process that may die at any call. */
  function mortal() {
    const { promise: died, reject } = Promise.withResolvers<never>();
    died.catch(() => {});
    let isDead = false;
    const die = (): Promise<never> => {
      isDead = true;
      reject(new Error('Runtime exited with error: signal: killed'));
      return new Promise(() => {});
    };
    const handlerOf = (
      service: Call['service'],
      answer: Parameters<typeof inProcess>[0],
      streams = false,
    ) => {
      const alive = inProcess(answer, { streams });
      const handle: typeof alive.handle = async (request, more) => {
        if (isDead) return new Promise(() => {});
        const { method, path } = request;
        const call = { number: calls.length + 1, service, method, path };
        calls.push(call);
        const fate = fateOf(call);
        const ms = msOf(call);
        if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
        if (fate === 'dies before') return die();
        const answered = await alive.handle(request, more);
        if (fate === 'dies after') return die();
        return isDead ? new Promise(() => {}) : answered;
      };
      // The SDK's own type of a handler is wider than what the emulator answers.
      return { ...alive, handle } as never;
    };
    const clients = {
      sqs: createSqsClient(sqs, { requestHandler: handlerOf('sqs', sqs.service) }),
      s3: createS3Client(objects, { requestHandler: handlerOf('s3', objects.service, true) }),
      lambda: createLambdaClient(lambda, {
        requestHandler: handlerOf('lambda', lambda.service),
      }),
      events: new EventBridgeClient({
        region: 'us-east-1',
        endpoint: 'http://localhost',
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
        requestHandler: handlerOf('events', bus),
        maxAttempts: 1,
      }),
    };
    return { clients, died };
  }

  lambda.addFunction(
    names.collector,
    (event, context) => {
      const { clients, died } = mortal();
      const payloads = payloadsBy(clients.s3);
      const place = { name: names.name, onServer: true, places: resultPlaces, payloads };
      const metered = memoryMb === undefined ? {} : { memoryMb };
      const handle = collectorHandler({ ...clients, ...place, ...metered, limits, onGivenUp });
      return Promise.race([handle(event, context), died]);
    },
    { timeoutSeconds },
  );
  if (hasEventSource) made.startWorkers();
  return {
    ...made,
    s3,
    objects,
    calls,
    events,
    seed: (request: SeedRequest) =>
      callFunction<SeedResponse>(deployment.lambda, names.seed, request),
    watch: () => callFunction(deployment.lambda, names.collector, { watch: true }),
    /** A connection to it, as a program on another machine has. */
    connection: () =>
      new Fanfold({
        deployment,
        store: {
          clients: {
            s3: () => Promise.resolve(s3),
            events: () => Promise.resolve(mortal().clients.events),
          },
          begin: beginStored,
          find: findStored,
        },
        tasks: undefined,
        add() {},
        close: () => Promise.resolve(),
      }),
    /** Lets time pass until the run has a manifest. */
    async manifest(runId: string, seconds = 3_600): Promise<Manifest> {
      const Key = `runs/${runId}/manifest.json`;
      await passUntil(async () => (await textOf(s3, Key)) !== undefined, seconds);
      return JSON.parse((await textOf(s3, Key)) ?? '');
    },
  };
}

/** Lets virtual time pass until a condition holds. */
export async function passUntil(holds: () => Promise<boolean>, seconds: number): Promise<void> {
  const limit = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`It did not hold within ${seconds} s.`);
    const next = Date.now() + 2_000;
    while (Date.now() < next) {
      // An SDK call runs many microtasks: no time passes until all of them have run.
      await new Promise(setImmediate);
      await vi.advanceTimersToNextTimerAsync();
      // Without a timer, no time would pass.
      if (vi.getTimerCount() === 0) vi.advanceTimersByTime(1_000);
    }
  }
}

export async function textOf(s3: S3Client, Key: string): Promise<string | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return await Body?.transformToString();
  } catch {
    return undefined;
  }
}

export async function keysIn(s3: S3Client, Prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix }));
  return Contents.map(({ Key = '' }) => Key.slice(Prefix.length)).sort();
}

/** The results in a run's parts in JSON Lines, in the order of the parts. */
export async function resultsOf(s3: S3Client, { runId, parts }: Manifest) {
  const results: { index: number; status: string; output?: unknown }[] = [];
  const folder = { bucket: BUCKET, prefix: `runs/${runId}/` };
  for (const part of parts) {
    for await (const lines of linesOf(s3, folder, part)) {
      results.push(...lines.map((line) => JSON.parse(line)));
    }
  }
  return results;
}
