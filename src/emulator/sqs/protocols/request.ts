import { isUtf8 } from 'node:buffer';
import type { ServiceRequest } from '../../transport/index.ts';
import { SqsError, unknownAction } from '../errors.ts';
import type { Parameters } from '../input.ts';

/** Refuses a request whose method the protocol does not have. */
export function checkMethod({ method }: ServiceRequest, ...allowed: string[]): void {
  if (allowed.includes(method)) return;
  throw new SqsError(
    'UnknownOperation',
    `Expected the method ${allowed.join(' or ')}; got ${method}.`,
  );
}

export function textOf({ body }: ServiceRequest): string {
  if (typeof body === 'string') return body;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  // Invalid bytes decode to U+FFFD. Check for it first (cheap); a client may also have sent one.
  if (!text.includes('\ufffd') || isUtf8(body)) return text;
  throw new SqsError('MalformedInput', 'The request body is not UTF-8.');
}

/** The host and the port at which the caller reaches this SQS. */
export function hostOf({ headers }: ServiceRequest): string {
  const host = headers.host || 'localhost';
  if (/^[\w.:[\]-]+$/.test(host)) return host;
  throw new SqsError('InvalidAddress', `The address ${host} is not valid for this endpoint.`);
}

/** Actions that concern no queue, and that AWS does not know at a queue's URL. */
const OF_NO_QUEUE = new Set(['CreateQueue', 'ListQueues']);

/** A request to a queue's own URL concerns that queue, unless it names another. */
export function withQueueOfPath(
  action: string,
  parameters: Parameters,
  request: ServiceRequest,
): Parameters {
  if (request.path === '/') return parameters;
  const path = request.path.replace(/\/$/, '');
  if (OF_NO_QUEUE.has(action) && /^\/\d{12}\/[^/]+$/.test(path)) throw unknownAction(action);
  if (path === '' || (parameters.QueueUrl ?? undefined) !== undefined) return parameters;
  return { ...parameters, QueueUrl: `http://${hostOf(request)}${path}` };
}
