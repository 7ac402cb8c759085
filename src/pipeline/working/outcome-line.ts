import { payloadLine } from '../messages/payload.ts';
import { type Failure, failedLine, okLine } from '../messages/result.ts';
import type { AttemptFailure, Outcome } from './outcome.ts';

/** The text of the result that an outcome makes, if it is an input's last. */
export function lineOf(outcome: Outcome, attempts: number): string {
  if (outcome.ok) {
    const { index, output, ms } = outcome;
    return typeof output === 'string' ? okLine(index, output, ms) : payloadLine(index, output, ms);
  }
  return failedLine(outcome.index, { ...failureOf(outcome.failure), attempts }, outcome.ms);
}

export function failureOf({
  retryable: _,
  delaySeconds: __,
  later: ___,
  ...failure
}: AttemptFailure): Omit<Failure, 'attempts'> {
  return failure;
}
