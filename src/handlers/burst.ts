import { FanfoldError } from '../errors.ts';
import { stackIdentity, workFor } from '../nested.ts';
import { createdAt } from '../pipeline/names.ts';
import { resultQueueUrl } from '../pipeline/queue-urls.ts';
import { sendUsed } from '../pipeline/run/send-used.ts';
import { type BurstEvent, invokeBurst } from '../pipeline/seed/burst.ts';
import { type PullEnd, type PullOptions, pull } from '../pipeline/working/poll-loop.ts';
import { Setups } from '../pipeline/working/setups.ts';
import { watching } from '../pipeline/working/watching.ts';
import { Environment, type LambdaContext } from './environment.ts';
import { openWorker, type WorkerHandlerOptions, workerName } from './open-worker.ts';
import { endInvocation, lazyTasks, type Tasks } from './tasks.ts';
import { logFailure, tearDown, WORN_OUT } from './telemetry.ts';

/** A burst worker's report on its invocation. */
export interface BurstResponse {
  /** Number of chunks that it received. */
  chunks: number;
  /** Reason for its end: no chunk or no time left, a worn-out process, or failed calls. */
  end: PullEnd;
  /** Whether it started another burst worker to continue. */
  continued: boolean;
}

/** Seconds without a message after which a burst worker ends. */
const EMPTY_SECONDS = 5;

/** Most burst workers in a row, each of which continues when the last one's time is over: a day. */
const MAX_HOPS = 100;

/** Interval at which metrics are emitted during the invocation, in milliseconds. */
const FLUSH_MS = 60_000;

/** Calls in a row that may fail; the SDK has retried each for a while. */
const MAX_FAILURES = 5;

/**
 * The burst function's handler: receives chunks from the task queue, as `fanfold work` does, until
 * none is left. The seed invokes it, so that a run has its workers within seconds. The queue's
 * event source, which takes minutes to scale, handles the remaining chunks. When its time is nearly
 * over, the function starts itself once more, at most a hundred times in a row.
 *
 * ```ts
 * export const burst = burstHandler(() => import('./tasks/index.ts'));
 * ```
 *
 * @param tasks the tasks module, or a function that imports it: called before the first receive
 */
export function burstHandler(
  tasks: Tasks,
  options: WorkerHandlerOptions = {},
): (event: unknown, context: LambdaContext) => Promise<BurstResponse> {
  const place = new Environment(options, EMPTY_SECONDS);
  const tasksOf = lazyTasks(tasks);
  const { setups = new Setups() } = options;
  return async (event, context) => {
    const { hop, runId } = readBurstEvent(event);
    const { sqs, names, meter } = place;
    meter?.begin({}, EMPTY_SECONDS * 1000);
    const taskQueueUrl = await place.taskQueueUrl();
    // It may find nothing to do for the run that it was started for.
    if (runId !== undefined) meter?.workFor(runId);
    const announced = report();
    const registry = await tasksOf().catch((error: unknown) => {
      endInvocation(options, error);
      throw error;
    });
    const worker = await openWorker(place, registry, setups, options, context);
    // It may run for long, and metrics carry the time at which they are emitted.
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
      onError: (error) => logFailure(options, 'A call or a chunk failed', error),
    };
    const identity = await stackIdentity(sqs, taskQueueUrl);
    const end = await workFor(identity, () => pull(pulling));
    await announced;
    await report(true);
    clearInterval(flushing);
    watching(() => options.metrics?.flush());
    // If it found nothing to do in all of its time, neither would the next one.
    const shouldContinue = (end === 'late' || end === 'worn') && chunks > 0 && hop + 1 < MAX_HOPS;
    const answer = { chunks, end, continued: shouldContinue && (await continued()) };
    meter?.end();
    if (worker.stuck > 0 && options.exit) {
      options.log?.('error', WORN_OUT, {});
      await tearDown(setups, options);
      options.exit();
    }
    return answer;

    /** Reports what this process has used for the run that it worked on last, if it did. */
    async function report(isEnding = false): Promise<void> {
      const last = meter?.last(isEnding);
      if (last === undefined) return;
      const queueUrl = resultQueueUrl(taskQueueUrl, last.runId, 'own');
      await sendUsed(sqs, queueUrl, { ...last, worker: workerName(context) });
    }

    async function continued(): Promise<boolean> {
      try {
        await invokeBurst(place.lambda, names, { hop: hop + 1 });
        return true;
      } catch (error) {
        logFailure(options, 'The next burst worker was not started', error);
        return false;
      }
    }
  };
}

/** Refuses any other event: an SQS event sent here by mistake would lose its messages. */
function readBurstEvent(event: unknown): BurstEvent {
  if (typeof event === 'object' && event !== null && !Array.isArray(event)) {
    const { hop = 0, runId, ...others } = event as Partial<BurstEvent>;
    const isRun = runId === undefined || createdAt(String(runId)) !== undefined;
    const isHop = Number.isSafeInteger(hop) && hop >= 0;
    if (isHop && isRun && Object.keys(others).length === 0) return { hop, runId };
  }
  throw new FanfoldError(
    'BadMessage',
    'The burst function expects {"hop": N}, where N is the number of burst workers before it, and may have the `runId` that it is started for. To start a run, invoke the seed function.',
  );
}
