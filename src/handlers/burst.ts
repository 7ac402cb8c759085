import { FanfoldError } from '../errors.ts';
import { stackIdentity, workFor } from '../nested.ts';
import { siblingUrl } from '../pipeline/queue-urls.ts';
import { type BurstEvent, invokeBurst } from '../pipeline/seed/burst.ts';
import { type PullEnd, type PullOptions, pull } from '../pipeline/working/poll-loop.ts';
import { Setups } from '../pipeline/working/setups.ts';
import { watching } from '../pipeline/working/watching.ts';
import { Worker } from '../pipeline/working/worker.ts';
import {
  Environment,
  type HandlerOptions,
  LAMBDA_SLICE_SECONDS,
  type LambdaContext,
  workerName,
} from './environment.ts';
import { endInvocation, lazyTasks, type Tasks } from './tasks.ts';
import { tearDown, tellFailure, type WatchOptions, WORN_OUT, watched } from './telemetry.ts';

/** What a burst worker did. */
export interface BurstResponse {
  /** Chunks that it took. */
  chunks: number;
  /** Why it ended: no chunk was left, its time was, its process was worn out, calls failed. */
  end: PullEnd;
  /** Whether it had another one started to go on. */
  continued: boolean;
}

/** How long the queue must give nothing for a burst worker to end, in seconds. */
const EMPTY_SECONDS = 5;

/** Burst workers in a row, each of which goes on where the last one's time was over: about a day. */
const MAX_HOPS = 100;

/** How often metrics are put out meanwhile, in milliseconds. */
const FLUSH_MS = 60_000;

/** Calls in a row that may fail, each of which the SDK has tried for a while. */
const MAX_FAILURES = 5;

/**
 * The burst function's handler: pulls chunks from the task queue, as `fanfold work` does, until
 * none are left. The seed invokes it, so that a run has its workers within seconds; the queue's
 * event source, which takes minutes to scale, works on what these leave. When its time is nearly
 * over it has itself started once more, a hundred times in a row at most.
 *
 * ```ts
 * export const burst = burstHandler(() => import('./tasks/index.ts'));
 * ```
 *
 * @param tasks the tasks module, or a function that imports it: called before the first chunk is
 *   taken
 */
export function burstHandler(
  tasks: Tasks,
  options: HandlerOptions &
    WatchOptions & {
      /** @default 60 */
      sliceSeconds?: number;
      /** What tasks have set up, for whoever ends the process in order. @default the handler's own */
      setups?: Setups;
    } = {},
): (event: unknown, context: LambdaContext) => Promise<BurstResponse> {
  const place = new Environment(options);
  const tasksOf = lazyTasks(tasks);
  const { setups = new Setups() } = options;
  return async (event, context) => {
    const { hop } = readBurstEvent(event);
    const { sqs, names, runs } = place;
    const taskQueueUrl = await place.taskQueueUrl();
    const worker = new Worker({
      sqs,
      tasks: await tasksOf().catch((error: unknown) => {
        endInvocation(options, error);
        throw error;
      }),
      taskQueueUrl,
      deadQueueUrl: siblingUrl(taskQueueUrl, names.dead),
      worker: workerName(context),
      runs,
      setups,
      sliceSeconds: options.sliceSeconds ?? LAMBDA_SLICE_SECONDS,
      ...watched(options),
    });
    // It may be at it for long, and metrics carry the time at which they are put out.
    const flushing = setInterval(() => watching(() => options.metrics?.flush()), FLUSH_MS);
    let chunks = 0;
    const pulling: PullOptions = {
      sqs,
      taskQueueUrl,
      worker,
      signal: new AbortController().signal,
      untilEmptySeconds: EMPTY_SECONDS,
      remainingMs: () => context.getRemainingTimeInMillis(),
      maxFailures: MAX_FAILURES,
      onTaken: (messages) => {
        chunks += messages.length;
      },
      onError: (error) => tellFailure(options, 'A call or a chunk failed', error),
    };
    const end = await workFor(stackIdentity(names.name), () => pull(pulling));
    clearInterval(flushing);
    watching(() => options.metrics?.flush());
    // One that found nothing to do in all its time would only be followed by another such.
    const goesOn = (end === 'late' || end === 'worn') && chunks > 0 && hop + 1 < MAX_HOPS;
    const answer = { chunks, end, continued: goesOn && (await continued()) };
    if (worker.stuck > 0 && options.exit) {
      options.log?.('error', WORN_OUT, {});
      await tearDown(setups, options);
      options.exit();
    }
    return answer;

    async function continued(): Promise<boolean> {
      try {
        await invokeBurst(place.lambda, names, { hop: hop + 1 });
        return true;
      } catch (error) {
        tellFailure(options, 'The next burst worker was not started', error);
        return false;
      }
    }
  };
}

/** Anything else is refused: an SQS event that came here by mistake would lose its messages. */
function readBurstEvent(event: unknown): BurstEvent {
  if (typeof event === 'object' && event !== null && !Array.isArray(event)) {
    const { hop = 0, ...others } = event as Partial<BurstEvent>;
    if (Number.isSafeInteger(hop) && hop >= 0 && Object.keys(others).length === 0) return { hop };
  }
  throw new FanfoldError(
    'BadMessage',
    'The burst function takes {"hop": N}, where N counts the burst workers before it. To start a run, invoke the seed function.',
  );
}
