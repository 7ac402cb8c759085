import type { Call, Output } from '../call.ts';
import { missingParameter } from '../errors.ts';
import { queueOf } from './queue-of.ts';
import { badTagKey } from './tag-queue.ts';

export function untagQueue(call: Call): Output {
  const queue = queueOf(call);
  if (!call.input.has('TagKeys')) throw missingParameter('TagKeys');
  const gone = new Set(call.input.texts('TagKeys'));
  // The Query protocol writes an empty list as one empty key, and AWS reads it that way.
  if (gone.size === 0 || gone.has('')) throw badTagKey();
  queue.set({ tags: new Map([...queue.tags].filter(([key]) => !gone.has(key))) });
  return undefined;
}
