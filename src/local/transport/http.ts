import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { FanfoldError, messageOf } from '../../errors.ts';
import { splitTarget } from './path.ts';
import {
  answer,
  failure,
  type Service,
  type ServiceRequest,
  type ServiceResponse,
} from './service.ts';

export interface ListenOptions {
  /** The address to listen on. Default `127.0.0.1`: reachable from this machine only. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** The longest request body in bytes; a longer one is answered 413. Default 16 MiB. */
  maxBodyBytes?: number;
  /** How long a request may take to arrive, in seconds; then its connection is closed. Default 60. */
  requestTimeoutSeconds?: number;
  /** Answers a request whose body is too long; it comes without it. Default: an error in JSON. */
  refuseTooLong?: (request: ServiceRequest, message: string) => ServiceResponse;
  /** Certificate and private key as PEM: TLS is spoken, and nothing else. Default: plain HTTP. */
  tls?: { cert: string; key: string } | undefined;
}

/** A service on a port. */
export interface Listening {
  /** Such as `http://127.0.0.1:9324`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Ends at once: stops listening and destroys every connection, idle or not. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Longer than any client keeps an idle connection, so that none is closed while it is used again. */
const KEEP_ALIVE_MS = 75_000;

/** How many times as much is read as is taken, for the sake of clients that send all they have. */
const READ_TIMES = 4;

const REQUEST_TIMEOUT_SECONDS = 60;

/** A peer that has been silent for so long is asked by TCP whether it is there, in milliseconds. */
const PEER_MS = 30_000;

/** How often Node looks for requests that take too long, in milliseconds. */
const LOOK_MS = 1_000;

/**
 * Puts a service on a port of this machine:
 * `await using server = await listen(service)`, then an SDK client with `endpoint: server.url`.
 */
export async function listen(service: Service, options: ListenOptions = {}): Promise<Listening> {
  const {
    host = '127.0.0.1',
    port = 0,
    maxBodyBytes = MAX_BODY_BYTES,
    requestTimeoutSeconds = REQUEST_TIMEOUT_SECONDS,
    refuseTooLong = (_, message) => failure(413, 'RequestEntityTooLarge', message),
    tls,
  } = options;
  const settings = {
    keepAlive: true,
    keepAliveInitialDelay: PEER_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: requestTimeoutSeconds * 1000,
    headersTimeout: requestTimeoutSeconds * 1000,
    connectionsCheckingInterval: LOOK_MS,
  };
  const server = tls ? createTlsServer({ ...settings, ...tls }) : createServer(settings);
  const served: Served = { service, maxBodyBytes, refuseTooLong };
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    serve(served, request, response);
  server.on('request', onRequest);
  // Nothing is expected of a server but to go on: what else a client asks for is passed over.
  server.on('checkExpectation', onRequest);
  const address = await bound(server, host, port);
  const close = () => closed(server);
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    host,
    port: address.port,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function bound(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const message = `Nothing can listen on ${host}, port ${port}: ${reasonOf(error)}.`;
      reject(new FanfoldError('BadOption', message, { cause: error }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address);
    });
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const { code = '' } = error;
  return REASONS[code] ?? messageOf(error);
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'another program does already; name another port, or end that one',
  EACCES: 'ports below 1024 are for the administrator; name another',
  EADDRNOTAVAIL: 'this machine has no such address; 0.0.0.0 are all that it has',
  ENOTFOUND: 'no address is known of that name',
  EAI_AGAIN: 'no address is known of that name just now',
};

/** Whether a host is this machine, for nobody but itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // The only error is that it is closed already.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Served extends Required<Pick<ListenOptions, 'maxBodyBytes' | 'refuseTooLong'>> {
  readonly service: Service;
}

/** By callbacks: promises would be a seventh of what a small request costs. */
function serve(
  { service, maxBodyBytes, refuseTooLong }: Served,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const caller = new Caller();
  response.on('close', () => {
    if (!response.writableFinished) caller.leave();
  });
  // A connection that breaks is told by 'close'; unheard, its error would end the process.
  request.on('error', ignore);
  response.on('error', ignore);
  const reply = (served: ServiceResponse) => {
    // Its end of the connection may be closed already, and ours not yet.
    if (request.socket.readableEnded) caller.leave();
    send(response, served, caller);
  };
  // What a client that has left will not get is found out when what has arrived by now is read.
  const replyOrTakeBack = (served: ServiceResponse) => {
    if (served.undelivered) setImmediate(reply, served);
    else reply(served);
  };
  const refuse = () => {
    const message = `Request body is longer than ${maxBodyBytes} bytes.`;
    send(response, refuseTooLong(new HttpRequest(request, NO_BODY, caller), message), caller);
  };
  if (Number(request.headers['content-length']) > READ_TIMES * maxBodyBytes) {
    response.setHeader('connection', 'close');
    refuse();
    return;
  }
  readBody(request, maxBodyBytes, (body) => {
    if (body === 'too long') {
      refuse();
      return;
    }
    const served = answer(service, new HttpRequest(request, body, caller));
    if (served instanceof Promise) void served.then(replyOrTakeBack);
    else replyOrTakeBack(served);
  });
}

function ignore(): void {}

const NO_BODY = new Uint8Array();

const NO_QUERY = new URLSearchParams();

/** A class, since the getters of an object literal would give each request a shape of its own. */
class HttpRequest implements ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  readonly secure: boolean;
  readonly #caller: Caller;

  constructor(request: IncomingMessage, body: Uint8Array, caller: Caller) {
    const { path, query } = splitTarget(request.url ?? '/');
    this.method = request.method ?? 'GET';
    this.path = path;
    this.query = query === '' ? NO_QUERY : new URLSearchParams(query);
    this.headers = headersOf(request);
    this.body = body;
    this.secure = 'encrypted' in request.socket;
    this.#caller = caller;
  }

  get signal(): AbortSignal {
    return this.#caller.signal;
  }
}

/** Who waits for an answer. Most never leave, and few services ask: so the signal is made late. */
class Caller {
  /** Told when it leaves. */
  onLeave: (() => void) | undefined;
  #controller: AbortController | undefined;
  #left = false;

  get left(): boolean {
    return this.#left;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#left) this.#abort();
    return this.#controller.signal;
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#abort();
    this.onLeave?.();
  }

  #abort(): void {
    this.#controller?.abort(new Error('The client closed the connection'));
  }
}

/**
 * Reads the whole body, unless the client leaves before. What is over the limit is read and dropped,
 * since a client that is still sending would not see the refusal; up to a point, where the
 * connection is destroyed.
 */
function readBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (body: Uint8Array | 'too long') => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else {
      chunks.length = 0;
      if (bytes > READ_TIMES * maxBytes) request.destroy();
    }
  });
  request.on('end', () => {
    const [only] = chunks;
    if (bytes > maxBytes) done('too long');
    else done(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks));
  });
}

function send(response: ServerResponse, served: ServiceResponse, caller: Caller): void {
  if (caller.left) {
    served.undelivered?.();
    return;
  }
  caller.onLeave = served.undelivered;
  try {
    // A text leaves in one piece with its head, and so in half the time of bytes.
    response.writeHead(served.status, {
      ...served.headers,
      'content-length': Buffer.byteLength(served.body),
    });
    response.end(served.body);
  } catch {
    // A header that HTTP does not allow: the service's fault, and not a reason to crash.
    response.destroy();
  }
}

/** Node gives one text a header, but for Set-Cookie, which no request has a use for. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  delete headers['set-cookie'];
  return headers as Record<string, string>;
}
