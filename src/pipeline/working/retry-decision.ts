import { FanfoldError, isNonRetryable, valueText } from '../../errors.ts';
import { isDelay, LONGEST_LATER_SECONDS } from '../../retry-later.ts';
import type { AnyTask } from '../../task.ts';

/** Whether, and when, an input runs again after a failed attempt. */
export interface RetryDecision {
  retryable: boolean;
  /** @default the task's backoff */
  delaySeconds?: number | undefined;
  /** Whether the attempt does not count. */
  later?: boolean;
  /** The error of a `retry` that could not decide. */
  error?: unknown;
}

/**
 * The decision of a task's `retry` function, if it has one. A function that throws, or returns
 * something else, does not decide: its input fails with an error that says so.
 */
export function decisionOn(task: AnyTask, thrown: unknown, attempt: number): RetryDecision {
  if (isNonRetryable(thrown)) return { retryable: false };
  if (task.retry === undefined) return { retryable: true };
  try {
    const decided: unknown = task.retry(thrown, attempt);
    if (decided === undefined) return { retryable: true };
    if (decided === false) return { retryable: false };
    if (isDelay(decided)) return { retryable: true, delaySeconds: decided };
    const shown = decided instanceof Promise ? 'a Promise' : valueText(decided);
    const message = `The \`retry\` of the task "${task.name}" must return false, undefined, or a number of seconds from 0 to ${LONGEST_LATER_SECONDS}; got ${shown}.`;
    throw new FanfoldError('BadTask', message, { cause: thrown });
  } catch (error) {
    return { retryable: false, error: causedBy(error, thrown) };
  }
}

/** An error of `retry`, with what the task threw as its cause, unless it names one itself. */
function causedBy(error: unknown, thrown: unknown): unknown {
  if (!(error instanceof Error) || error === thrown || error.cause !== undefined) return error;
  return Object.create(error, { cause: { value: thrown } });
}
