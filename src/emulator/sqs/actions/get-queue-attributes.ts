import type { Call, Output } from '../call.ts';
import type { Queue } from '../engine/queue.ts';
import { unknownAttribute } from '../engine/settings.ts';
import { queueOf } from './queue-of.ts';

/** Attributes that can be asked for even if the queue does not have them. */
const OPTIONAL = new Set([
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'Policy',
  'RedriveAllowPolicy',
  'RedrivePolicy',
]);

export function getQueueAttributes(call: Call): Output {
  const queue = queueOf(call);
  const names = call.input.texts('AttributeNames');
  const all = allAttributes(queue, call);
  if (names.includes('All')) return { Attributes: Object.fromEntries(all) };
  const asked: Record<string, string> = {};
  for (const name of names) {
    const value = all.get(name);
    if (value !== undefined) asked[name] = value;
    else if (!OPTIONAL.has(name)) throw unknownAttribute(name);
  }
  return Object.keys(asked).length > 0 ? { Attributes: asked } : {};
}

function allAttributes(queue: Queue, { now, time }: Call): Map<string, string> {
  const { visible, inFlight, delayed } = queue.counts(now);
  const seconds = (ms: number) => String(Math.floor(time.shown(ms) / 1000));
  return new Map([
    ...queue.attributes,
    ['ApproximateNumberOfMessages', String(visible)],
    ['ApproximateNumberOfMessagesDelayed', String(delayed)],
    ['ApproximateNumberOfMessagesNotVisible', String(inFlight)],
    ['CreatedTimestamp', seconds(queue.createdAt)],
    ['LastModifiedTimestamp', seconds(queue.modifiedAt)],
    ['QueueArn', queue.arn],
  ]);
}
