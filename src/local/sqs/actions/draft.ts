import { randomUUID } from 'node:crypto';
import { checkCharacters, md5Of } from '../engine/contents.ts';
import type { Draft } from '../engine/message.ts';
import { attributesMd5, attributesSize, checkAttributes } from '../engine/message-attributes.ts';
import type { Queue } from '../engine/queue.ts';
import type { Queues } from '../engine/queues.ts';
import { invalidParameter, invalidValue } from '../errors.ts';
import type { Input } from '../input.ts';
import { DELAY_SECONDS, MESSAGE_GROUP_ID } from '../limits.ts';

/** A message that a request wants to send, checked, and its size: body and attributes. */
export interface Sized {
  readonly draft: Draft;
  readonly bytes: number;
}

export function readDraft(input: Input, { accountId, bodyDigests }: Queues): Sized {
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
  const trace = system.get('AWSTraceHeader')?.value;
  const draft: Draft = {
    id: randomUUID(),
    body,
    bodyMd5: bodyDigests ? md5Of(body) : undefined,
    attributes,
    attributesMd5: attributesMd5(attributes),
    systemAttributesMd5: attributesMd5(system),
    traceHeader: trace && 'text' in trace ? trace.text : undefined,
    groupId: groupId(input),
    senderId: accountId,
    delaySeconds: delaySeconds(input),
  };
  return { draft, bytes: Buffer.byteLength(body) + attributesSize(attributes) };
}

/** Refuses a message that is larger than its queue allows. */
export function checkSize(bytes: number, { settings }: Queue): void {
  const { maximumMessageSize } = settings;
  if (bytes <= maximumMessageSize) return;
  throw invalidParameter(
    `One or more parameters are invalid. Reason: Message must be shorter than ${maximumMessageSize} bytes.`,
  );
}

/** What is answered for a message that was sent. */
export function sent(draft: Draft): Readonly<Record<string, unknown>> {
  return {
    MessageId: draft.id,
    ...(draft.bodyMd5 ? { MD5OfMessageBody: draft.bodyMd5 } : {}),
    ...(draft.attributesMd5 ? { MD5OfMessageAttributes: draft.attributesMd5 } : {}),
    ...(draft.systemAttributesMd5
      ? { MD5OfMessageSystemAttributes: draft.systemAttributesMd5 }
      : {}),
  };
}

function groupId(input: Input): string | undefined {
  if (input.text('MessageDeduplicationId') !== undefined) {
    throw invalidParameter(
      'The request includes a parameter that is not valid for this queue type. Reason: MessageDeduplicationId is for FIFO queues.',
    );
  }
  const id = input.text('MessageGroupId');
  if (id === undefined || MESSAGE_GROUP_ID.test(id)) return id;
  throw invalidValue(
    'MessageGroupId',
    id,
    'MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
  );
}

function delaySeconds(input: Input): number | undefined {
  const seconds = input.integer('DelaySeconds');
  const { min, max } = DELAY_SECONDS;
  if (seconds === undefined || (seconds >= min && seconds <= max)) return seconds;
  throw invalidValue('DelaySeconds', seconds, `DelaySeconds must be >= ${min} and <= ${max}.`);
}
