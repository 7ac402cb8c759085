import { Readable } from 'node:stream';
import { FanfoldError } from '../../errors.ts';
import { turnEnd } from './event-loop-turn.ts';
import { normalPath } from './path.ts';
import { answer, type Service, type ServiceResponse } from './service.ts';

/** The part of the SDK's `HttpRequest` that is used here. */
interface SdkRequest {
  protocol?: string;
  method: string;
  path: string;
  query?: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: unknown;
}

interface SdkResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: Uint8Array | Readable;
}

/** The SDK types its `abortSignal` more loosely than the platform: any object with these fields. */
interface SdkHandlerOptions {
  abortSignal?: { readonly aborted: boolean; onabort: unknown };
}

/** The result of `inProcess`: a `requestHandler` for the configuration of any SDK client. */
export interface InProcessHandler {
  handle(request: SdkRequest, options?: SdkHandlerOptions): Promise<{ response: SdkResponse }>;
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
  destroy(): void;
}

export interface InProcessOptions {
  /** Whether bodies of answers are streams, as S3's clients require. @default false: bytes */
  streams?: boolean;
}

/**
 * Connects an SDK client to a service in the same process: give it to the client as
 * `requestHandler`. Under fake timers only microtasks lie between the call and the service, so that
 * virtual time can run both. A body that is a stream is read to its end first.
 */
export function inProcess(
  service: Service,
  { streams = false }: InProcessOptions = {},
): InProcessHandler {
  return {
    async handle(request, options) {
      const signal = hasEvents(options?.abortSignal) ? options.abortSignal : undefined;
      const others = turnEnd();
      if (others) await others;
      const body = isStream(request.body) ? await wholeOf(request.body) : bodyOf(request.body);
      if (signal?.aborted) throw abortError(signal);
      const answered = answer(service, {
        method: request.method,
        path: normalPath(request.path),
        sentPath: request.path,
        query: searchParams(request.query),
        headers: lowerCaseNames(request.headers),
        body,
        secure: request.protocol === 'https:',
        signal: signal ?? new AbortController().signal,
      });
      const waits = answered instanceof Promise && signal !== undefined;
      const response = await (waits ? untilAborted(answered, signal) : answered);
      return { response: sdkResponse(response, streams) };
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy() {},
  };
}

/** Rejects as soon as the caller aborts, like the SDK's own handlers. */
function untilAborted(
  served: Promise<ServiceResponse>,
  signal: AbortSignal,
): Promise<ServiceResponse> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    served.then((response) => {
      signal.removeEventListener('abort', onAbort);
      // The abort may have happened between the service's answer and this moment.
      if (signal.aborted) response.undelivered?.();
      else resolve(response);
    }, reject);
  });
}

/** The same error as in @smithy/node-http-handler's build-abort-error.js. */
function abortError(signal: AbortSignal): Error {
  const error = new Error('Request aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return error;
}

/** The SDK also allows an older kind of signal, without events: such a call can't be aborted. */
function hasEvents(signal: SdkHandlerOptions['abortSignal']): signal is AbortSignal {
  return signal !== undefined && 'addEventListener' in signal;
}

function searchParams(query: SdkRequest['query'] = {}): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const item of value) params.append(name, item);
    else params.append(name, value ?? '');
  }
  return params;
}

function lowerCaseNames(headers: Record<string, string>): Record<string, string> {
  const lowered: Record<string, string> = {};
  for (const name in headers) lowered[name.toLowerCase()] = headers[name] ?? '';
  return lowered;
}

/**
 * The SDK's JSON bodies are a subclass of Uint8Array that poses as a string: `Buffer.from(body)`
 * would convert it, and warn. A plain view of the same bytes has no such surprises.
 */
function bodyOf(body: unknown): Uint8Array | string {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  throw new FanfoldError(
    'BadInput',
    `Expected a request body of text, bytes, or a stream of them; got a value of type ${typeof body}.`,
  );
}

/** A body that arrives in pieces: a stream of Node, or of the Web. */
function isStream(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

async function wholeOf(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function sdkResponse({ status, headers, body }: ServiceResponse, streams: boolean): SdkResponse {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { statusCode: status, headers, body: streams ? Readable.from([bytes]) : bytes };
}
