import { FanfoldError } from '../errors.ts';
import type { EndedAttempt } from '../pipeline/working/held.ts';
import type { WriteLog } from '../pipeline/working/log-line.ts';
import type { Setups } from '../pipeline/working/setups.ts';
import { watching } from '../pipeline/working/watching.ts';
import type { WorkerOptions } from '../pipeline/working/worker.ts';
import { describeThrown } from '../thrown.ts';

/** Counts the outcomes of a worker function's attempts. */
export interface WorkerMetrics {
  count(ended: EndedAttempt): void;
  /** Emits the counts since the last time. */
  flush(): void;
}

/** Options of a handler's log. */
export interface LogOptions {
  /**
   * Receives all lines: those of tasks, failed attempts, pages that were seeded or refused, and
   * failed calls.
   * @default only tasks' lines, as JSON, and failed calls, on the console
   */
  log?: WriteLog;
}

/** Options of a worker function's log, metrics and end. */
export interface WatchOptions extends LogOptions {
  /** @default nothing is counted */
  metrics?: WorkerMetrics | undefined;
  /**
   * Ends the process, as `() => process.exit(1)` does. Called when its tasks module did not load,
   * and when functions that run past their timeout have worn it out and SQS has all of their
   * results.
   * @default the process stays in use
   */
  exit?: () => void;
}

/** Callbacks that pass a `Worker`'s events to the log and the metrics. */
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

/** Logs a failed call, or the failed step that it was for. */
export function logFailure({ log }: LogOptions, what: string, thrown: unknown): void {
  watching(() => {
    if (!log) console.error(thrown);
    else if (thrown instanceof FanfoldError) {
      const { code, message } = thrown;
      log('error', what, { error: { code, message } });
    } else log('error', what, { error: thrown instanceof Error ? thrown : describeThrown(thrown) });
  });
}

/** Tears down the resources of tasks, before their process ends. */
export function tearDown(setups: Setups, options: LogOptions): Promise<void> {
  return setups.close((message) => logFailure(options, 'A teardown failed', new Error(message)));
}

/** Message of the ERROR line before a process is ended. */
export const WORN_OUT =
  'Attempts ignored the abort signal after their timeout: their process is ended';
