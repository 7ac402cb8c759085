import { QueueDoesNotExist } from '@aws-sdk/client-sqs';
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { FanfoldError } from '../errors.ts';

/**
 * Longest time that AWS or a server may be unreachable before a run can't continue, in
 * milliseconds: enough for a server restart or a change of network.
 */
export const PATIENCE_MS = 120_000;

/** Whether SQS reported that the queue does not exist. */
export function isMissingQueue(error: unknown): boolean {
  return error instanceof QueueDoesNotExist;
}

/** Errors after which a message is certainly no longer its receiver's. */
const FINAL = new Set(['MessageNotInflight', 'ReceiptHandleIsInvalid', 'InvalidParameterValue']);

/** Whether SQS reported that a receiver no longer holds its message. */
export function isNotInHand(error: unknown): boolean {
  return error instanceof Error && FINAL.has(error.name);
}

/**
 * Whether an error of a call may be gone at the next try: throttling, a fault of the service, or a
 * failed network. The SDK has tried a few times when it throws such an error. It throws errors that
 * no retry can fix (access, a wrong request) at once.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && /^E[A-Z_]+$/.test(code)) return true;
  const sdkError = error as Parameters<typeof isServerError>[0];
  return isThrottlingError(sdkError) || isTransientError(sdkError) || isServerError(sdkError);
}

/** Whether AWS throttled the call. */
export function isThrottled(error: unknown): error is Error {
  return error instanceof Error && isThrottlingError(error as Parameters<typeof isServerError>[0]);
}

const DENIED = /^(AccessDenied|AccessDeniedException|KmsAccessDenied|KMSAccessDeniedException)$/;

/** Whether AWS denied the call, or the use of a queue's key. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && DENIED.test(error.name);
}

/** Whether the run that was looked for is over, or never was. */
export function isUnknownRun(error: unknown): boolean {
  return error instanceof FanfoldError && error.code === 'UnknownRun';
}

/** Whether the error is that of a call to AWS, or of its answer. */
export function isAwsError(error: unknown): boolean {
  if (error instanceof FanfoldError) return error.code === 'RunFailed';
  return isTransient(error) || (error instanceof Error && '$metadata' in error);
}
