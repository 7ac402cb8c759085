import type { Call, Output } from '../call.ts';
import { queueOf } from './queue-of.ts';

export function listQueueTags(call: Call): Output {
  const { tags } = queueOf(call);
  return tags.size > 0 ? { Tags: Object.fromEntries(tags) } : {};
}
