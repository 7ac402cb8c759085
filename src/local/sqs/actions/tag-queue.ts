import type { Call, Output } from '../call.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidParameter, missingParameter } from '../errors.ts';
import { MAX_TAG_KEY_LENGTH, MAX_TAG_VALUE_LENGTH, MAX_TAGS } from '../limits.ts';
import { queueOf } from './queue-of.ts';

export function tagQueue(call: Call): Output {
  const queue = queueOf(call);
  if (!call.input.has('Tags')) throw missingParameter('Tags');
  addTags(queue, call.input.textMap('Tags'));
  return undefined;
}

export function addTags(queue: Queue, tags: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(tags)) {
    if (key === '' || key.length > MAX_TAG_KEY_LENGTH) {
      throw invalidParameter(
        `Tag keys must be between 1 and ${MAX_TAG_KEY_LENGTH} characters in length.`,
      );
    }
    if (value.length > MAX_TAG_VALUE_LENGTH) {
      throw invalidParameter(
        `Tag values must be at most ${MAX_TAG_VALUE_LENGTH} characters in length.`,
      );
    }
  }
  if (new Set([...queue.tags.keys(), ...Object.keys(tags)]).size > MAX_TAGS) {
    throw invalidParameter(`Too many tags added for queue ${queue.name}.`);
  }
  for (const [key, value] of Object.entries(tags)) queue.tags.set(key, value);
}
