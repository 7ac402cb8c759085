import { laterSecondsOf, SHORTEST_LATER_SECONDS } from '../../retry-later.ts';
import type { AnyTask } from '../../task.ts';
import { describeThrown } from '../../thrown.ts';
import { NotMoved } from './large.ts';
import type { AttemptFailure } from './outcome.ts';
import { decisionOn, type RetryDecision } from './retry-decision.ts';
import { InvalidInput } from './schema.ts';

/** The failure of an attempt that ended with a thrown value. */
export function failureOfThrown(thrown: unknown, task: AnyTask, attempt: number): AttemptFailure {
  if (isA(NotMoved, thrown)) return thrown.failure;
  if (isA(InvalidInput, thrown)) {
    const { name, message } = thrown;
    return { code: 'InvalidInput', name, message, retryable: false };
  }
  const laterSeconds = laterSecondsOf(thrown);
  const { error = thrown, ...again }: RetryDecision =
    laterSeconds === undefined
      ? decisionOn(task, thrown, attempt)
      : {
          retryable: true,
          delaySeconds: Math.max(SHORTEST_LATER_SECONDS, laterSeconds),
          later: true,
        };
  const { code: errorCode, ...described } = describeThrown(error);
  return { code: 'TaskFailed', ...described, errorCode, ...again };
}

/** The reason of an attempt's abort that took too long. */
export function timeoutOf({ timeoutSeconds }: AnyTask): DOMException {
  const message = `The attempt took longer than the task's timeoutSeconds, ${timeoutSeconds} s.`;
  return new DOMException(message, 'TimeoutError');
}

/** The failure of such an attempt. */
export function failureOfTimeout(
  error: DOMException,
  task: AnyTask,
  attempt: number,
): AttemptFailure {
  const { name, message } = error;
  const { retryable, delaySeconds } = decisionOn(task, error, attempt);
  return { code: 'TimedOut', name, message, retryable, delaySeconds };
}

/** A thrown value may itself throw when it is inspected. */
function isA<Kind>(kind: abstract new (...args: never[]) => Kind, thrown: unknown): thrown is Kind {
  try {
    return thrown instanceof kind;
  } catch {
    return false;
  }
}
