import { SqsError, type SqsErrorCode } from '../../src/emulator/sqs/errors.ts';
import { json } from '../../src/emulator/sqs/protocols/json.ts';
import type {
  Service,
  ServiceRequest,
  ServiceResponse,
} from '../../src/emulator/transport/index.ts';
import { type Actor, currentActor, trueNow } from './actors.ts';

export interface Entry {
  Id: string;
  MessageBody?: string;
  ReceiptHandle?: string;
  DelaySeconds?: number;
}

/** The parameters of the inspected actions. */
export interface Parameters {
  QueueUrl?: string;
  QueueName?: string;
  MessageBody?: string;
  ReceiptHandle?: string;
  VisibilityTimeout?: number;
  DelaySeconds?: number;
  MaxNumberOfMessages?: number;
  WaitTimeSeconds?: number;
  /** Attributes of a new queue. */
  tags?: Record<string, string>;
  /** New tags of a queue. */
  Tags?: Record<string, string>;
  Entries?: Entry[];
}

export interface ReceivedMessage {
  MessageId: string;
  ReceiptHandle: string;
  Body: string;
  Attributes?: Record<string, string>;
}

/** SQS's response to the inspected actions. */
export interface Answer {
  /** An error's name. */
  __type?: string;
  MessageId?: string;
  Messages?: ReceivedMessage[];
  Successful?: { Id: string; MessageId?: string }[];
  Failed?: { Id: string; SenderFault: boolean; Code: string; Message: string }[];
}

/** A request to SQS, as its sender meant it. */
export interface SqsCall {
  actor: Actor;
  action: string;
  parameters: Parameters;
  /** The queue's name. */
  queue: string;
  /** Time at which it was sent. */
  sentAt: number;
  /** Number of the attempt, from 1. */
  attempt: number;
  request: ServiceRequest;
}

export function readCall(request: ServiceRequest): SqsCall {
  const action = (request.headers['x-amz-target'] ?? '').replace('AmazonSQS.', '');
  const parameters = JSON.parse(textOf(request.body)) as Parameters;
  const { QueueUrl = '', QueueName } = parameters;
  const queue = QueueName ?? QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1);
  const attempt = Number(/attempt=(\d+)/.exec(request.headers['amz-sdk-request'] ?? '')?.[1] ?? 1);
  const actor = currentActor();
  return { actor, action, parameters, queue, sentAt: trueNow(), attempt, request };
}

const answers = new WeakMap<ServiceResponse, Answer>();

export function readAnswer(response: ServiceResponse): Answer {
  const known = answers.get(response);
  if (known) return known;
  const text = textOf(response.body);
  const answer = text === '' ? {} : (JSON.parse(text) as Answer);
  answers.set(response, answer);
  return answer;
}

/** The same request with other parameters. */
export function changed(call: SqsCall, parameters: Parameters): ServiceRequest {
  const { request } = call;
  if (parameters === call.parameters) return request;
  return { ...request, body: JSON.stringify(parameters) };
}

/** A request of the simulated world itself. */
export function ask(
  sqs: Service,
  action: string,
  parameters: object,
): ServiceResponse | Promise<ServiceResponse> {
  return sqs({
    method: 'POST',
    path: '/',
    query: new URLSearchParams(),
    headers: {
      host: 'localhost',
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
    },
    body: JSON.stringify(parameters),
    signal: new AbortController().signal,
  });
}

export function answered(answer: Record<string, unknown>): ServiceResponse {
  return dated(json.response(answer, '', 'simulated'));
}

export function refused(code: SqsErrorCode, message: string): ServiceResponse {
  return dated(json.error(new SqsError(code, message), 'simulated'));
}

/** A response as HTTP servers send it, with the service's time. */
export function dated(response: ServiceResponse): ServiceResponse {
  const second = Math.floor(trueNow() / 1000);
  if (second !== latest.second) latest = { second, date: new Date(second * 1000).toUTCString() };
  return { ...response, headers: { ...response.headers, date: latest.date } };
}

/** The second of the latest response, as text. */
let latest = { second: Number.NaN, date: '' };

/** The messages of a batch call, or the one of a single call. */
export function entriesOf({ parameters }: SqsCall): Entry[] {
  return parameters.Entries ?? [{ Id: '', ...parameters }];
}

function textOf(body: Uint8Array | string): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString();
}
