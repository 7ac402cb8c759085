import { FanfoldError, InputError } from '../errors.ts';
import { newRunId } from '../pipeline/names.ts';
import { startBurst } from '../pipeline/seeding/burst.ts';
import { type SeedRefusal, type SeedResponse, seed } from '../pipeline/seeding/seed.ts';
import { readSeedRequest } from '../pipeline/seeding/seed-request.ts';
import { type HandlerOptions, type LambdaContext, lazyPlace, registryOf } from './place.ts';
import { type LogOptions, tellFailure } from './watch.ts';

/**
 * The seed function's handler: checks a `SeedRequest`, cuts its inputs into chunks and queues them.
 * A request that it refuses is answered with `{ error: { code, message } }`, not thrown: Lambda
 * would try it again.
 *
 * ```ts
 * import * as tasks from './tasks/index.ts';
 * export const handler = seedHandler(tasks);
 * ```
 */
export function seedHandler(
  tasks: object,
  options: HandlerOptions &
    LogOptions & {
      /**
       * How many burst workers a run may start, besides those that the task queue starts.
       * @default the environment's FANFOLD_BURST where the name is the environment's too, else 0
       */
      burst?: number;
    } = {},
): (event: unknown, context: LambdaContext) => Promise<SeedResponse | SeedRefusal> {
  const registry = registryOf(tasks);
  const found = lazyPlace(options);
  const burst =
    options.burst ?? (options.name === undefined ? burstOf(process.env.FANFOLD_BURST) : 0);
  return async (event, context) => {
    try {
      const { sqs, lambda, names, taskQueueUrl } = await found();
      const runId = runIdOf(context);
      const request = readSeedRequest(event);
      const seeded = await seed(request, { sqs, names, tasks: registry, taskQueueUrl, runId });
      const { resultQueueUrl: _, ...page } = seeded;
      options.log?.('info', 'A page was queued', page);
      const { first, count, chunks } = seeded;
      if (burst > 0 && chunks > 0) {
        const { chunkItems = Math.ceil(count / chunks) } = request;
        const queued = { first, chunkItems, chunks };
        const { failures } = await startBurst(lambda(), names, queued, burst);
        for (const failure of failures) tellFailure(options, NOT_STARTED, failure);
      }
      return seeded;
    } catch (error) {
      if (error instanceof FanfoldError) return refused(options, error);
      tellFailure(options, 'A page was not queued', error);
      throw error;
    }
  };
}

const NOT_STARTED = 'A burst worker was not started: the event source has its chunk worked on';

function refused({ log }: LogOptions, error: FanfoldError): SeedRefusal {
  const { code, message } = error;
  log?.('warn', 'A seed request was refused', { error: { code, message } });
  const place = error instanceof InputError ? { index: error.index, reason: error.reason } : {};
  return { error: { code, message, ...place } };
}

/** A trace that began so long ago is not this invocation's alone, in milliseconds. */
const TRACE_MS = 3_000_000;

/**
 * The id of a run whose request gives it none: Lambda's request id, with the time that its trace
 * began. Both are the same when Lambda tries an invocation again, so that what the first try has
 * queued is not another run's.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
function runIdOf({ awsRequestId }: LambdaContext): string {
  const now = Date.now();
  const [, hex = ''] = /Root=1-([0-9a-f]{8})-/.exec(process.env._X_AMZN_TRACE_ID ?? '') ?? [];
  const traced = Number.parseInt(hex, 16) * 1000;
  const time = traced <= now && traced > now - TRACE_MS ? traced : now;
  return newRunId(time, awsRequestId.replace(/-/g, '').slice(0, 16));
}

function burstOf(text: string | undefined): number {
  if (text === undefined || /^\d{1,4}$/.test(text)) return Number(text ?? 0);
  throw new FanfoldError(
    'BadOption',
    `FANFOLD_BURST is how many burst workers a run may start; "${text}" is not a number of them.`,
  );
}
