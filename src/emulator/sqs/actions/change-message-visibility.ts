import type { Call, Output } from '../call.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidValue, missingParameter } from '../errors.ts';
import type { Input } from '../input.ts';
import { VISIBILITY_SECONDS } from '../limits.ts';
import { queueOf } from './queue-of.ts';

export function changeMessageVisibility(call: Call): Output {
  changeVisibility(queueOf(call), call.input, call.now);
  return undefined;
}

export function changeVisibility(queue: Queue, input: Input, now: number): void {
  const handle = input.requiredText('ReceiptHandle');
  const seconds = input.integer('VisibilityTimeout');
  if (seconds === undefined) throw missingParameter('VisibilityTimeout');
  const { min, max } = VISIBILITY_SECONDS;
  if (seconds < min || seconds > max) {
    throw invalidValue('VisibilityTimeout', seconds, `Must be between ${min} and ${max}.`);
  }
  queue.changeVisibility(handle, seconds, now);
}
