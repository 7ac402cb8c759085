import type { SQSClient } from '@aws-sdk/client-sqs';

/** Payload that SQS bills as one request: 64 KiB. https://aws.amazon.com/sqs/pricing/ */
const BILLED_BYTES = 65_536;

/** A call that a service has answered. */
export interface Call {
  /** Name of the command, such as `PutObjectCommand`. */
  command: string;
  /** The call's parameters. */
  input: Record<string, unknown>;
  /** Bytes of the answer. */
  receivedBytes: number;
  /** Number of requests that SQS bills for it. */
  requests: number;
}

interface Sized {
  request?: { body?: unknown };
  input?: Record<string, unknown>;
}

interface Answered {
  response?: { headers?: Record<string, string>; body?: unknown };
}

type Middleware = (
  next: (call: Sized) => Promise<Answered>,
  context: { commandName?: string },
) => (call: Sized) => Promise<Answered>;

/** Called with each call of a client that was answered without an error. */
export function countRequests(client: object, onCall: (call: Call) => void): void {
  const middleware: Middleware = (next, context) => async (call) => {
    const answered = await next(call);
    const { headers, body } = answered.response ?? {};
    // In this process, answers have no such header.
    const receivedBytes = Number(headers?.['content-length']) || sizeOf(body);
    const requests = requestsFor(Math.max(sizeOf(call.request?.body), receivedBytes));
    const { commandName: command = '' } = context;
    onCall({ command, input: call.input ?? {}, receivedBytes, requests });
    return answered;
  };
  // Each service's client has a stack of its own type, and this needs none of it.
  const { middlewareStack } = client as SQSClient;
  // Without a name: several may count the calls of one client.
  const around = { step: 'deserialize', priority: 'high' } as const;
  middlewareStack.add(middleware as unknown as Parameters<typeof middlewareStack.add>[0], around);
}

/** Number of requests that SQS bills for a call with a payload of this size. */
export function requestsFor(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BILLED_BYTES));
}

function sizeOf(body: unknown): number {
  if (typeof body === 'string') return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.byteLength : 0;
}

/** The last part of the URL or the name of the queue that a call is about. */
export function queueOf({ input }: Pick<Call, 'input'>): string {
  return String(input.QueueUrl ?? input.QueueName ?? '').replace(/^.*\//, '');
}

/** What SQS bills a call as: task messages have a group, for its fair queues. */
export function kindOf(queue: string): 'standard' | 'fair' | 'fifo' {
  if (queue.endsWith('.fifo')) return 'fifo';
  return queue.endsWith('-tasks') ? 'fair' : 'standard';
}

const PUT = /^(Put|Copy|Create|Upload|Complete|List|Post)/;

/** What S3 bills a call as; undefined for one that is free. */
export function s3KindOf({ command }: Pick<Call, 'command'>): 'put' | 'get' | undefined {
  if (/^(Delete|Abort)/.test(command)) return undefined;
  return PUT.test(command) ? 'put' : 'get';
}
