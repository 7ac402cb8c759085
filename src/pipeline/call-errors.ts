import { QueueDoesNotExist } from '@aws-sdk/client-sqs';
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { FanfoldError } from '../errors.ts';

/**
 * How long AWS, or a server, may not be reached until a run can't go on, in milliseconds: a server
 * that is started again, a network that is changed.
 */
export const PATIENCE_MS = 120_000;

/** Whether SQS said that the queue is not there. */
export function isMissingQueue(error: unknown): boolean {
  return error instanceof QueueDoesNotExist;
}

/** Answers after which a message is surely not its receiver's any more. */
const FINAL = new Set(['MessageNotInflight', 'ReceiptHandleIsInvalid', 'InvalidParameterValue']);

/** Whether SQS said that a message is not in the hand of who received it. */
export function isNotInHand(error: unknown): boolean {
  return error instanceof Error && FINAL.has(error.name);
}

/**
 * Whether an error of a call may be gone at the next one: too many requests, a fault of the
 * service's, a network that failed. The SDK has tried a few times when it is thrown; what cannot
 * be mended by trying (access, a wrong request) is thrown at once.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && /^E[A-Z_]+$/.test(code)) return true;
  const told = error as Parameters<typeof isServerError>[0];
  return isThrottlingError(told) || isTransientError(told) || isServerError(told);
}

/** Whether AWS was asked too often. */
export function isThrottled(error: unknown): boolean {
  return error instanceof Error && isThrottlingError(error as Parameters<typeof isServerError>[0]);
}

/** Whether a call to AWS, or what answered it, is what went wrong. */
export function isAwsError(error: unknown): boolean {
  if (error instanceof FanfoldError) return error.code === 'RunFailed';
  return isTransient(error) || (error instanceof Error && '$metadata' in error);
}
