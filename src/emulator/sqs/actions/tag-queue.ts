import type { Call, Output } from '../call.ts';
import { FORBIDDEN_CHARACTER } from '../engine/characters.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidParameter, type SqsError } from '../errors.ts';
import { MAX_TAG_KEY_LENGTH, MAX_TAG_VALUE_LENGTH, MAX_TAGS, RESERVED_TAG } from '../limits.ts';
import { queueOf } from './queue-of.ts';

export function tagQueue(call: Call): Output {
  const queue = queueOf(call);
  const tags = call.input.requiredMap('Tags');
  checkTags(tags, queue.name, queue.tags.keys());
  addTags(queue, tags);
  return undefined;
}

/** @param there keys of the queue's existing tags */
export function checkTags(
  tags: Readonly<Record<string, string>>,
  queueName: string,
  there: Iterable<string> = [],
): void {
  for (const [key, value] of Object.entries(tags)) {
    if (key === '' || key.length > MAX_TAG_KEY_LENGTH) {
      throw badTagKey();
    }
    if (RESERVED_TAG.test(key)) {
      throw invalidParameter(`The tag key ${key} is reserved: it starts with aws:.`);
    }
    if (FORBIDDEN_CHARACTER.test(key) || FORBIDDEN_CHARACTER.test(value)) {
      throw invalidParameter('Invalid characters were found in a tag.');
    }
    if (value.length > MAX_TAG_VALUE_LENGTH) {
      throw invalidParameter(
        `Tag values must be at most ${MAX_TAG_VALUE_LENGTH} characters in length.`,
      );
    }
  }
  if (new Set([...there, ...Object.keys(tags)]).size > MAX_TAGS) {
    throw invalidParameter(`Too many tags added for queue ${queueName}.`);
  }
}

export function badTagKey(): SqsError {
  return invalidParameter(
    `Tag keys must be between 1 and ${MAX_TAG_KEY_LENGTH} characters in length.`,
  );
}

export function addTags(queue: Queue, tags: Readonly<Record<string, string>>): void {
  queue.set({ tags: new Map([...queue.tags, ...Object.entries(tags)]) });
}
