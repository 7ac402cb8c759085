import type { ServiceRequest, ServiceResponse } from '../transport.ts';
import { type Output, ReceivedMessages } from './call.ts';
import type { BodyText } from './engine/contents.ts';
import { queryCode, SqsError, type SqsErrorCode, statusOf } from './errors.ts';
import type { Parameters } from './input.ts';

const CONTENT_TYPE = 'application/x-amz-json-1.0';
const TARGET = /^AmazonSQS\.([A-Za-z]+)$/;

/** What a JSON request asks for. */
export interface JsonRequest {
  action: string;
  parameters: Parameters;
}

/** Reads a request of AWS JSON 1.0. */
export function readJsonRequest({ headers, body }: ServiceRequest): JsonRequest {
  const [, action] = TARGET.exec(headers['x-amz-target'] ?? '') ?? [];
  if (action === undefined) {
    throw new SqsError(
      'UnknownOperation',
      `An SQS request names its action in the header X-Amz-Target, like AmazonSQS.SendMessage; "${headers['x-amz-target'] ?? ''}" came.`,
    );
  }
  const text =
    typeof body === 'string'
      ? body
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  return { action, parameters: parse(text, action) };
}

/** The reviver's third argument, of ES2026, which TypeScript's library does not have yet. */
type Revive = (key: string, value: unknown, context?: { source?: string }) => unknown;

/** Keeps of each message body the literal that it came as. */
const keepLiteral: Revive = (key, value, context) => {
  if (key !== 'MessageBody' || typeof value !== 'string') return value;
  const literal = context?.source ?? JSON.stringify(value);
  return { text: value, literal } satisfies BodyText;
};

function parse(text: string, action: string): Parameters {
  if (text === '') return {};
  try {
    const sends = action === 'SendMessage' || action === 'SendMessageBatch';
    const value: unknown = sends ? JSON.parse(text, keepLiteral) : JSON.parse(text);
    if (isParameters(value)) return value;
  } catch {
    // Refused below, like any other text that is no object.
  }
  throw new SqsError('MalformedInput', 'The request body is not a JSON object.');
}

function isParameters(value: unknown): value is Parameters {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function jsonResponse(
  output: Output | ReceivedMessages,
  requestId: string,
): ServiceResponse {
  const headers = { 'content-type': CONTENT_TYPE, 'x-amzn-requestid': requestId };
  if (output instanceof ReceivedMessages) {
    const undelivered = output.messages.length > 0 ? { undelivered: output.takeBack } : {};
    return { status: 200, headers, body: messagesJson(output), ...undelivered };
  }
  return { status: 200, headers, body: output === undefined ? '' : JSON.stringify(output) };
}

/** Puts each body back as the literal that it came as: nothing is escaped twice. */
function messagesJson({ messages }: ReceivedMessages): string | Uint8Array {
  if (messages.length === 0) return '{}';
  const parts: string[] = [];
  for (const { bodyLiteral, fields } of messages) {
    parts.push(parts.length === 0 ? '{"Messages":[{"Body":' : ',{"Body":');
    parts.push(bodyLiteral, `,${JSON.stringify(fields).slice(1)}`);
  }
  parts.push(']}');
  return encoded(parts);
}

/** Texts as UTF-8, one after the other: put together as text, long ones would be copied twice more. */
function encoded(texts: readonly string[]): Uint8Array {
  let bytes = 0;
  for (const text of texts) bytes += Buffer.byteLength(text);
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const text of texts) at += buffer.write(text, at);
  return buffer;
}

/** Errors that are not of SQS's own service model, by the names of AWS's common one. */
const COMMON: Partial<Record<SqsErrorCode, string>> = {
  InvalidParameterValue: 'InvalidParameterValueException',
  MalformedInput: 'SerializationException',
  MissingParameter: 'MissingRequiredParameterException',
  UnknownOperation: 'UnknownOperationException',
};

export function jsonError({ code, message }: SqsError, requestId: string): ServiceResponse {
  const common = COMMON[code];
  const type = common ? `com.amazon.coral.service#${common}` : `com.amazonaws.sqs#${code}`;
  return {
    status: statusOf(code),
    headers: {
      'content-type': CONTENT_TYPE,
      'x-amzn-requestid': requestId,
      // The JavaScript SDK needs it: it tells errors by the Query protocol's codes.
      'x-amzn-query-error': `${queryCode(code)};Sender`,
    },
    body: JSON.stringify({ __type: type, message }),
  };
}
