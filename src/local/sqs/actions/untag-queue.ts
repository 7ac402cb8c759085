import type { Call, Output } from '../call.ts';
import { missingParameter } from '../errors.ts';
import { queueOf } from './queue-of.ts';

export function untagQueue(call: Call): Output {
  const queue = queueOf(call);
  if (!call.input.has('TagKeys')) throw missingParameter('TagKeys');
  for (const key of call.input.texts('TagKeys')) queue.tags.delete(key);
  return undefined;
}
