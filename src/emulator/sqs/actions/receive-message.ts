import { type Call, ReceivedMessages } from '../call.ts';
import type { Received } from '../engine/message.ts';
import { attributesMd5, type MessageAttributes, selector } from '../engine/message-attributes.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidValue, SqsError } from '../errors.ts';
import type { Input } from '../input.ts';
import { type Range, RECEIVE_MESSAGES, VISIBILITY_SECONDS, WAIT_SECONDS } from '../limits.ts';
import { receiveAttemptOf } from '../receive-attempt.ts';
import type { ServiceTime } from '../service-time.ts';
import { fifoId, notForThisQueue } from './draft.ts';
import { queueOf } from './queue-of.ts';

/** Answers at once if there are messages or the request has no wait, otherwise after the wait. */
export function receiveMessage(call: Call): ReceivedMessages | Promise<ReceivedMessages> {
  const { input, now, polls } = call;
  const queue = queueOf(call);
  const attemptId = fifoId(input, 'ReceiveRequestAttemptId');
  if (attemptId !== undefined && !queue.isFifo) {
    throw notForThisQueue('ReceiveRequestAttemptId', attemptId);
  }
  const request = {
    maxMessages: inRange(input, 'MaxNumberOfMessages', RECEIVE_MESSAGES) ?? 1,
    visibilitySeconds: inRange(input, 'VisibilityTimeout', VISIBILITY_SECONDS),
    attemptId: attemptId ?? receiveAttemptOf(call.request),
  };
  const waitSeconds = inRange(input, 'WaitTimeSeconds', WAIT_SECONDS) ?? queue.settings.waitSeconds;
  const received = queue.receive(request, now);
  if (received.length > 0) return answer(call, queue, received);
  if (waitSeconds > 0) {
    const waited = polls.wait(queue, request, now + waitSeconds * 1000, call.request.signal);
    return waited.then((messages) => answer(call, queue, messages));
  }
  // A FIFO queue returns no messages, but no error either.
  if (queue.isFull && !queue.isFifo) {
    throw new SqsError(
      'OverLimit',
      'The maximum number of in flight messages is reached: delete messages, or let them time out.',
    );
  }
  return answer(call, queue, received);
}

/** The end of the sentence differs by parameter, as on AWS. */
function inRange(input: Input, name: string, { min, max }: Range): number | undefined {
  const value = input.integer(name);
  if (value === undefined || (value >= min && value <= max)) return value;
  const reason =
    name === 'MaxNumberOfMessages'
      ? `Must be between ${min} and ${max}, if provided.`
      : `Must be >= ${min} and <= ${max}, if provided.`;
  throw invalidValue(name, value, reason);
}

function answer(call: Call, queue: Queue, received: readonly Received[]): ReceivedMessages {
  const wantsAttribute = selector(call.input.texts('MessageAttributeNames'));
  // `AttributeNames` is the older name of the same parameter.
  const systemNames = [
    ...call.input.texts('MessageSystemAttributeNames'),
    ...call.input.texts('AttributeNames'),
  ];
  const wantsSystem = systemNames.length > 0 ? selector(systemNames) : undefined;
  const messages = received.map((one) => outgoing(call, one, wantsAttribute, wantsSystem));
  return new ReceivedMessages(messages, () => {
    const at = call.time.now;
    // Each is put in front of all others, so the first must be the last.
    for (const { handle } of received.toReversed()) queue.takeBack(handle, at);
    call.polls.serveChanged(at);
  });
}

type Wants = (name: string) => boolean;

function outgoing(
  { time }: Call,
  received: Received,
  wantsAttribute: Wants,
  wantsSystem: Wants | undefined,
): object {
  const { draft, handle } = received;
  const wanted =
    draft.attributes.size > 0
      ? new Map([...draft.attributes].filter(([name]) => wantsAttribute(name)))
      : draft.attributes;
  const md5 = wanted.size === draft.attributes.size ? draft.attributesMd5 : attributesMd5(wanted);
  const system = wantsSystem
    ? Object.entries(systemAttributes(received, time)).filter(
        ([name, value]) => value !== undefined && wantsSystem(name),
      )
    : [];
  return {
    MessageId: draft.id,
    ReceiptHandle: handle,
    Body: draft.body,
    ...(draft.bodyMd5 ? { MD5OfBody: draft.bodyMd5 } : {}),
    ...(system.length > 0 ? { Attributes: Object.fromEntries(system) } : {}),
    ...(md5 ? { MessageAttributes: wireAttributes(wanted), MD5OfMessageAttributes: md5 } : {}),
  };
}

function systemAttributes(
  received: Received,
  time: ServiceTime,
): Record<string, string | undefined> {
  return {
    ApproximateFirstReceiveTimestamp: String(time.shown(received.firstReceivedAt)),
    ApproximateReceiveCount: String(received.receiveCount),
    AWSTraceHeader: received.draft.traceHeader,
    DeadLetterQueueSourceArn: received.deadLetterSourceArn,
    MessageDeduplicationId: received.draft.deduplicationId,
    MessageGroupId: received.draft.groupId,
    SenderId: received.draft.senderId,
    SentTimestamp: String(time.shown(received.sentAt)),
    SequenceNumber: received.sequenceNumber,
  };
}

function wireAttributes(attributes: MessageAttributes): Record<string, object> {
  // An attribute can have any name, even `__proto__`, to which an assignment would add no entry.
  return Object.fromEntries(
    Array.from(attributes, ([name, { dataType, value }]) => [
      name,
      'text' in value
        ? { DataType: dataType, StringValue: value.text }
        : { DataType: dataType, BinaryValue: value.bytes },
    ]),
  );
}
