import { FanfoldError, InputError } from '../errors.ts';
import {
  hasOwnQueue,
  isObjectRequest,
  type PageRequest,
  readSeedRequest,
} from '../pipeline/messages/seed-request.ts';
import type { Refusal, SeedDescription, SeedResponse } from '../pipeline/messages/seed-response.ts';
import { fieldsOf } from '../pipeline/messages/used.ts';
import { newRunId } from '../pipeline/names.ts';
import type { Meter } from '../pipeline/run/meter.ts';
import { sendUsed } from '../pipeline/run/send-used.ts';
import { startBurst } from '../pipeline/seed/burst.ts';
import { describeDeployment, isDescribeRequest } from '../pipeline/seed/description.ts';
import { planOf, seed } from '../pipeline/seed/seed.ts';
import {
  Environment,
  type HandlerOptions,
  type LambdaContext,
  resultPlacesOfEnvironment,
} from './environment.ts';
import type { SeedFromS3 } from './seed-from-s3.ts';
import { lazyTasks, type Tasks, TasksNotLoaded } from './tasks.ts';
import { type LogOptions, logFailure } from './telemetry.ts';

/**
 * The seed function's handler: checks a `SeedRequest`, cuts its inputs into chunks and queues them.
 * A request that it refuses is answered with `{ error: { code, message } }`, not thrown: Lambda
 * would retry it.
 *
 * ```ts
 * export const handler = seedHandler(() => import('./tasks/index.ts'));
 * ```
 *
 * @param tasks the tasks module, or a function that imports it: called at the first request
 */
export function seedHandler(
  tasks: Tasks,
  options: HandlerOptions &
    LogOptions & {
      /**
       * Most burst workers that a run may start, besides the workers that the task queue starts.
       * @default the environment's FANFOLD_BURST if the name is the environment's too, else 0
       */
      burst?: number;
      /**
       * Approximate number of workers: chunks are cut so that all have some.
       * @default the environment's FANFOLD_WORKERS if the name is the environment's too, else 50
       */
      workers?: number;
      /** Counts the workers that are there now. @default `workers` are */
      liveWorkers?: (() => number) | undefined;
      /**
       * Folders of S3 in which results may be stored; the first is the default. Without one, runs
       * whose results are to be stored are refused.
       * @default the environment's FANFOLD_RESULT_PLACES if the name is the environment's too
       */
      resultPlaces?: readonly string[];
      /** Reads inputs from S3: `s3Inputs()`. @default such inputs are refused */
      s3?: SeedFromS3;
      /**
       * Ends the process, as `() => process.exit(1)` does. Called at the request after one for
       * which the tasks module failed to load, so that a new process loads it again.
       * @default every request is answered with the error that the module does not load
       */
      exit?: () => void;
    } = {},
): (event: unknown, context: LambdaContext) => Promise<SeedResponse | Refusal | SeedDescription> {
  const place = new Environment(options);
  const tasksOf = lazyTasks(tasks);
  const ofEnvironment = options.name === undefined;
  const burst = options.burst ?? (ofEnvironment ? numberOf('FANFOLD_BURST', 0) : 0);
  const workers =
    options.workers ?? (ofEnvironment ? numberOf('FANFOLD_WORKERS', WORKERS, 1) : WORKERS);
  let loadFailed = false;
  return async (event, context) => {
    place.meter?.begin();
    // Callers invoke the seed again when its process ends; Lambda does so for asynchronous ones.
    if (loadFailed) options.exit?.();
    try {
      if (isDescribeRequest(event)) {
        const live = options.liveWorkers?.();
        return describeDeployment(await tasksOf(), { workers, live, burst });
      }
      const { sqs, names, meter, payloads } = place;
      const runId = runIdOf(context);
      const tasksHere = await tasksOf();
      const taskQueueUrl = await place.taskQueueUrl();
      const { liveWorkers } = options;
      // Read only now: synthesis loads this module, too, before the places are known.
      const places = options.resultPlaces ?? (ofEnvironment ? resultPlacesOfEnvironment() : []);
      const [resultPlace] = places;
      const seeding = {
        ...{ sqs, names, tasks: tasksHere, taskQueueUrl },
        ...{ workers, liveWorkers, runId, payloads },
        stored:
          resultPlace === undefined ? undefined : { lambda: place.lambda, place: resultPlace },
      };
      const request = readSeedRequest(event);
      const isOwn = hasOwnQueue(request.results);
      if (request.maxCost !== undefined && meter === undefined) throw notMetered();
      meter?.workFor(request.runId ?? runId);
      const queued = async (seeded: SeedResponse, before: number) => {
        const { resultQueueUrl: _, ...page } = seeded;
        options.log?.('info', 'A page was queued', page);
        const { chunks } = seeded;
        if (burst > 0 && chunks > 0) {
          const { flow } = planOf(tasksHere.require(request.task), request, seeding);
          const ofRun = isOwn && meter ? seeded.runId : undefined;
          const { failures } = await startBurst(
            { sqs, lambda: place.lambda, names, taskQueueUrl },
            { before, chunks, lanes: flow?.lanes, runId: ofRun },
            { burst, workers },
          );
          for (const failure of failures) logFailure(options, NOT_STARTED, failure);
        }
        // Nobody who collects the run reads the answer.
        const isElsewhere = isObjectRequest(request) || request.results !== 'own';
        if (isOwn && isElsewhere) await reportUsed(place, seeded);
      };
      if (isObjectRequest(request)) {
        if (options.s3 === undefined) throw noS3();
        const begun = await options.s3(request, seeding, place, context, queued);
        return isOwn ? { ...begun, ...usedIn(meter, begun) } : begun;
      }
      const seeded = await seed(request, seeding);
      await queued(seeded, chunksBefore(request, seeded));
      return isOwn ? { ...seeded, ...usedIn(meter, seeded) } : seeded;
    } catch (error) {
      if (error instanceof TasksNotLoaded) {
        loadFailed = true;
        logFailure(options, 'The tasks module could not be loaded', error.cause);
        // A continuation with an object has no caller that reads its answer: Lambda must try it
        // again.
        if (isContinuation(event)) throw error;
      }
      if (error instanceof FanfoldError) return refused(options, error);
      logFailure(options, 'A page was not queued', error);
      throw error;
    } finally {
      place.meter?.end();
    }
  };
}

/** Approximate number of the chunks of a run's earlier pages. */
function chunksBefore(
  { first, continues = false, chunkItems }: PageRequest,
  { first: index, count, chunks }: SeedResponse,
): number {
  // The indexes of a run that is resumed say nothing about it. Earlier versions send only them.
  const inputsBefore = first ?? (continues ? index : 0);
  return Math.floor(inputsBefore / (chunkItems ?? Math.ceil(count / Math.max(1, chunks))));
}

/** What the seed has used for a run so far, for its answer. */
function usedIn(meter: Meter | undefined, { runId }: SeedResponse): Pick<SeedResponse, 'used'> {
  const used = meter?.usedFor(runId);
  return used === undefined ? {} : { used: fieldsOf(used) };
}

/** Reports that to the run's collector. */
async function reportUsed(
  { sqs, meter }: Environment,
  { runId, resultQueueUrl }: SeedResponse,
): Promise<void> {
  const used = meter?.usedFor(runId);
  if (used) await sendUsed(sqs, resultQueueUrl, { runId, worker: 'seed', used });
}

function noS3(): FanfoldError {
  return new FanfoldError(
    'BadInput',
    'This server does not read inputs from S3; deployed stacks do. Download the object, for example with: aws s3 cp s3://BUCKET/KEY - | fanfold run TASK --input -',
  );
}

function notMetered(): FanfoldError {
  return new FanfoldError(
    'BadInput',
    '`maxCost` needs runs that are metered, as those of a deployed stack are: nothing is billed here. Leave it out.',
  );
}

const NOT_STARTED =
  'Burst workers could not be counted or started: the workers of the event source do the work';

/** Whether the seed has invoked itself, to continue with an object in S3. */
function isContinuation(event: unknown): boolean {
  const { s3, from } = Object(Object(event).inputs);
  return s3 !== undefined && from !== undefined;
}

function refused({ log }: LogOptions, error: FanfoldError): Refusal {
  const { code, message } = error;
  log?.('warn', 'A seed request was refused', { error: { code, message } });
  const place = error instanceof InputError ? { index: error.index, reason: error.reason } : {};
  return { error: { code, message, ...place } };
}

/** Age from which a trace is not this invocation's alone, in milliseconds. */
const TRACE_MS = 3_000_000;

/**
 * Id of a run whose request gives it none: Lambda's request id, with the time at which its trace
 * began. Both stay the same when Lambda retries an invocation, so that the inputs queued by the
 * first try belong to the same run.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
function runIdOf({ awsRequestId }: LambdaContext): string {
  const now = Date.now();
  const [, hex = ''] = /Root=1-([0-9a-f]{8})-/.exec(process.env._X_AMZN_TRACE_ID ?? '') ?? [];
  const traced = Number.parseInt(hex, 16) * 1000;
  const time = traced <= now && traced > now - TRACE_MS ? traced : now;
  return newRunId(time, awsRequestId.replace(/-/g, '').slice(0, 16));
}

/** Default number of workers that chunks are cut for. */
const WORKERS = 50;

/** A number of workers from the environment. */
function numberOf(variable: string, fallback: number, least = 0): number {
  const text = process.env[variable];
  if (text === undefined) return fallback;
  if (/^\d{1,4}$/.test(text) && Number(text) >= least) return Number(text);
  throw new FanfoldError(
    'BadOption',
    `${variable} must be a number of workers, from ${least} to 9999; got "${text}".`,
  );
}
