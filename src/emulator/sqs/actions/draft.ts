import { hash, randomUUID } from 'node:crypto';
import type { Call } from '../call.ts';
import { checkCharacters, md5Of } from '../engine/characters.ts';
import type { Draft } from '../engine/message.ts';
import { attributesMd5, attributesSize, checkAttributes } from '../engine/message-attributes.ts';
import type { Queue } from '../engine/queue.ts';
import type { Sent } from '../engine/queue-state.ts';
import { invalidParameter, invalidValue, missingParameter, type SqsError } from '../errors.ts';
import type { Input } from '../input.ts';
import { DELAY_SECONDS, FIFO_ID } from '../limits.ts';

/** A checked message of a send request, and its size: body and attributes. */
export interface Sized {
  readonly draft: Draft;
  readonly bytes: number;
}

/** @param input the request's own, or that of one entry of a batch */
export function readDraft(input: Input, queue: Queue, call: Call): Sized {
  const body = input.requiredText('MessageBody');
  checkCharacters(body);
  const attributes = checkAttributes(input.attributes('MessageAttributes'));
  const systemAttributes = input.attributes('MessageSystemAttributes');
  for (const name of systemAttributes.keys()) {
    if (name !== 'AWSTraceHeader') {
      throw invalidParameter(
        `The message system attribute '${name}' is invalid. Only AWSTraceHeader can be sent.`,
      );
    }
  }
  const system = checkAttributes(systemAttributes);
  const trace = system.get('AWSTraceHeader');
  if (trace && trace.dataType !== 'String') {
    throw invalidParameter("The message system attribute 'AWSTraceHeader' must be a String.");
  }
  const draft: Draft = {
    id: randomUUID(),
    body,
    bodyMd5: call.queues.bodyDigests ? md5Of(body) : undefined,
    attributes,
    attributesMd5: attributesMd5(attributes),
    systemAttributesMd5: attributesMd5(system),
    traceHeader: trace && 'text' in trace.value ? trace.value.text : sentTrace(call),
    groupId: groupId(input, queue),
    deduplicationId: deduplicationId(input, queue, body),
    senderId: call.queues.accountId,
    delaySeconds: delaySeconds(input, queue),
  };
  return { draft, bytes: Buffer.byteLength(body) + attributesSize(attributes) };
}

/** The header that clients with X-Ray send, as recorded from AWS; no digest covers it. */
function sentTrace({ request }: Call): string | undefined {
  return request.headers['x-amzn-trace-id'] || undefined;
}

/**
 * Refuses a message that is larger than its queue allows.
 *
 * @param wrong start of AWS's sentence, which differs in a batch
 */
export function checkSize(bytes: number, { settings }: Queue, wrong: string): void {
  const { maximumMessageSize } = settings;
  if (bytes <= maximumMessageSize) return;
  throw invalidParameter(
    `One or more parameters ${wrong}. Reason: Message must be shorter than ${maximumMessageSize} bytes.`,
  );
}

/** The answer for a message that was sent, now or before with the same deduplication id. */
export function sent(
  draft: Draft,
  { id, sequenceNumber }: Sent,
): Readonly<Record<string, unknown>> {
  return {
    MessageId: id,
    ...(sequenceNumber ? { SequenceNumber: sequenceNumber } : {}),
    ...(draft.bodyMd5 ? { MD5OfMessageBody: draft.bodyMd5 } : {}),
    ...(draft.attributesMd5 ? { MD5OfMessageAttributes: draft.attributesMd5 } : {}),
    ...(draft.systemAttributesMd5
      ? { MD5OfMessageSystemAttributes: draft.systemAttributesMd5 }
      : {}),
  };
}

function groupId(input: Input, { isFifo }: Queue): string | undefined {
  const id = fifoId(input, 'MessageGroupId');
  if (id === undefined && isFifo) throw missingParameter('MessageGroupId');
  return id;
}

function deduplicationId(input: Input, { isFifo, settings }: Queue, body: string) {
  const id = fifoId(input, 'MessageDeduplicationId');
  if (!isFifo) {
    if (id !== undefined) throw notForThisQueue('MessageDeduplicationId', id);
    return undefined;
  }
  if (id !== undefined) return id;
  if (settings.deduplicatesByContent) return hash('sha256', body);
  throw missingDeduplicationId();
}

export function missingDeduplicationId(): SqsError {
  return invalidParameter(
    'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
  );
}

/** An id of the form that all ids of FIFO queues have. */
export function fifoId(input: Input, name: string): string | undefined {
  const id = input.text(name);
  if (id === undefined || FIFO_ID.test(id)) return id;
  const reason = `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`;
  throw invalidValue(name, id, reason);
}

/** The refusal of a parameter that belongs to the other type of queue. */
export function notForThisQueue(name: string, value: unknown): SqsError {
  const reason = 'The request include parameter that is not valid for this queue type.';
  return invalidValue(name, value, reason);
}

function delaySeconds(input: Input, { isFifo }: Queue): number | undefined {
  const seconds = input.integer('DelaySeconds');
  if (isFifo && seconds !== undefined && seconds !== 0) {
    throw notForThisQueue('DelaySeconds', seconds);
  }
  // A FIFO queue's own delay applies to all of its messages.
  if (isFifo) return undefined;
  const { min, max } = DELAY_SECONDS;
  if (seconds === undefined || (seconds >= min && seconds <= max)) return seconds;
  throw invalidValue('DelaySeconds', seconds, `DelaySeconds must be >= ${min} and <= ${max}.`);
}
