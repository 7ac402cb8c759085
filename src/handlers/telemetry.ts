import { FanfoldError } from '../errors.ts';
import type { WriteLog } from '../pipeline/working/attempt.ts';
import type { EndedAttempt } from '../pipeline/working/chunk-execution.ts';
import type { Setups } from '../pipeline/working/setups.ts';
import { watching } from '../pipeline/working/watching.ts';
import type { WorkerOptions } from '../pipeline/working/worker.ts';
import { describeThrown } from '../thrown.ts';

/** Counts what a worker function does. */
export interface WorkerMetrics {
  count(ended: EndedAttempt): void;
  /** Puts out what was counted since the last time. */
  flush(): void;
}

export interface LogOptions {
  /**
   * Takes all lines: those of tasks, attempts that failed, pages that were seeded or refused, calls
   * that failed.
   * @default tasks' lines, as JSON, and failed calls alone, on the console
   */
  log?: WriteLog;
}

export interface WatchOptions extends LogOptions {
  /** @default nothing is counted */
  metrics?: WorkerMetrics;
  /**
   * Ends the process, as `() => process.exit(1)` does. Called when its tasks module did not load, and
   * when functions that run past their time have worn it out and all their results are with SQS.
   * @default it is used on
   */
  exit?: () => void;
}

/** What a `Worker` tells, on its way to the log and the metrics. */
export function watched({
  log,
  metrics,
}: WatchOptions): Pick<WorkerOptions, 'onEnded' | 'onRefused' | 'writeLog'> {
  if (!log && !metrics) return {};
  return {
    writeLog: log,
    onRefused: ({ code, message }) =>
      log?.('warn', 'A task message was refused', { error: { code, message } }),
    onEnded(ended) {
      metrics?.count(ended);
      const { runId, index, task, attempt, ms, failure, again } = ended;
      if (!failure || !log) return;
      const about = { runId, index, task, attempt, ms, again };
      log('warn', 'An attempt failed', { ...about, error: failure });
    },
  };
}

/** Tells of a call, or of what it was for, that failed. */
export function tellFailure({ log }: LogOptions, what: string, thrown: unknown): void {
  watching(() => {
    if (!log) console.error(thrown);
    else if (thrown instanceof FanfoldError) {
      const { code, message } = thrown;
      log('error', what, { error: { code, message } });
    } else log('error', what, { error: thrown instanceof Error ? thrown : describeThrown(thrown) });
  });
}

/** Tears down what tasks have set up: their process is about to end. */
export function tearDown(setups: Setups, options: LogOptions): Promise<void> {
  return setups.close((message) => tellFailure(options, 'A teardown failed', new Error(message)));
}

/** What an ERROR line says before a process is ended. */
export const WORN_OUT =
  'Tasks go on although their time is over, whatever their signal says: their process is ended';
