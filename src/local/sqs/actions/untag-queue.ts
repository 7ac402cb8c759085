import type { Call, Output } from '../call.ts';
import { missingParameter } from '../errors.ts';
import { queueOf } from './queue-of.ts';

export function untagQueue(call: Call): Output {
  const queue = queueOf(call);
  if (!call.input.has('TagKeys')) throw missingParameter('TagKeys');
  const gone = new Set(call.input.texts('TagKeys'));
  queue.set({ tags: new Map([...queue.tags].filter(([key]) => !gone.has(key))) });
  return undefined;
}
