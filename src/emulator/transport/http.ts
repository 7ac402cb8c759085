import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { FanfoldError, messageOf } from '../../errors.ts';
import { ArrivingBody, BodyBudget, type BodyFault, dropBody } from './body.ts';
import { Caller, HttpRequest } from './http-request.ts';
import {
  admission,
  answer,
  failure,
  type Service,
  type ServiceRequest,
  type ServiceResponse,
} from './service.ts';
import { Unread } from './unread.ts';

export interface ListenOptions {
  /** Whether the process may exit while only the port is open. Default false. */
  background?: boolean;
  /** The address to listen on. Default `127.0.0.1`: reachable from this machine only. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /**
   * Longest request body in bytes, which may depend on the request; a longer one is answered with
   * 413. Default 16 MiB.
   */
  maxBodyBytes?: number | ((head: ServiceRequest) => number);
  /** Longest time for a request to arrive, in seconds; then its connection closes. Default 60. */
  requestTimeoutSeconds?: number;
  /** Answers a request whose body is not read or passed on. Default: an error in JSON. */
  refuseBody?: (request: ServiceRequest, fault: BodyFault, message: string) => ServiceResponse;
  /** Answers a request itself, such as one for a page, and returns true. Default: none. */
  pages?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Certificate and private key as PEM: the port then accepts only TLS. Default: plain HTTP. */
  tls?: { cert: string; key: string } | undefined;
}

/** A service on a port. */
export interface Listening {
  /** Such as `http://127.0.0.1:9324`. */
  readonly url: string;
  /** The address that it listens on. */
  readonly host: string;
  /** The port that it listens on. */
  readonly port: number;
  /** Stops listening and destroys every connection at once, idle or not. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const MIB = 1024 * 1024;

const MAX_BODY_BYTES = 16 * MIB;

/** Memory for arriving bodies: those of known callers, and those of all others. */
const KNOWN_BYTES = 256 * MIB;
const STRANGER_BYTES = 64 * MIB;

/** Bytes that are read of a refused body: few requests are longer, and reading delays others. */
const DROP_BYTES = 2 * MIB;

/** Multiple of the longest accepted body that is read when a known caller's body is too long. */
const DROP_TIMES = 4;

/** Longer than any client keeps an idle connection, so that none is closed while it is reused. */
const KEEP_ALIVE_MS = 75_000;

const REQUEST_TIMEOUT_SECONDS = 60;

/** Silence of a peer after which TCP probes whether it is still there, in milliseconds. */
const PEER_MS = 30_000;

/** Interval at which Node checks for requests that take too long, in milliseconds. */
const CHECK_INTERVAL_MS = 1_000;

/**
 * Serves a service on a port of this machine:
 * `await using server = await listen(service)`, then an SDK client with `endpoint: server.url`.
 */
export async function listen(service: Service, options: ListenOptions = {}): Promise<Listening> {
  const {
    host = '127.0.0.1',
    port = 0,
    maxBodyBytes = MAX_BODY_BYTES,
    requestTimeoutSeconds = REQUEST_TIMEOUT_SECONDS,
    refuseBody = (_, fault, message) => failure(...BODY_FAILURES[fault], message),
    tls,
    background = false,
    pages = () => false,
  } = options;
  const settings = {
    keepAlive: true,
    keepAliveInitialDelay: PEER_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: requestTimeoutSeconds * 1000,
    headersTimeout: requestTimeoutSeconds * 1000,
    handshakeTimeout: requestTimeoutSeconds * 1000,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  };
  const server = tls ? createTlsServer({ ...settings, ...tls }) : createServer(settings);
  const served: Served = {
    service,
    maxBodyBytesOf: typeof maxBodyBytes === 'number' ? () => maxBodyBytes : maxBodyBytes,
    refuseBody,
    unread: new Unread(),
    known: new BodyBudget(KNOWN_BYTES),
    strangers: new BodyBudget(STRANGER_BYTES),
  };
  server.on('request', (request, response) => {
    if (!pages(request, response)) serve(served, request, response);
  });
  server.on('checkContinue', (request, response) => serve(served, request, response, true));
  server.on('checkExpectation', (request, response) => {
    dropBody(request, DROP_BYTES);
    const message = `The only supported value of Expect is 100-continue; got ${JSON.stringify(request.headers.expect)}.`;
    send(response, failure(417, 'ExpectationFailed', message), new Caller());
  });
  server.on('clientError', (error, socket) => served.unread.refuse(error, socket));
  const address = await bound(server, host, port);
  if (background) {
    server.unref();
    server.on('connection', (socket) => socket.unref());
  }
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
      const message = `Cannot listen on ${host}, port ${port}: ${reasonOf(error)}.`;
      const code = SHORTAGES.has(codeOf(error)) ? 'RunFailed' : 'BadOption';
      reject(new FanfoldError(code, message, { cause: error }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address);
    });
  });
}

function codeOf({ code = '' }: NodeJS.ErrnoException): string {
  return code;
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS[codeOf(error)] ?? messageOf(error);
}

/** What another address or port would not help with. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE']);

const REASONS: Record<string, string> = {
  EADDRINUSE: 'another program uses it. Name another port, or end that program',
  EACCES: 'ports below 1024 need administrator rights. Name another port',
  EADDRNOTAVAIL: 'this machine does not have this address. 0.0.0.0 listens on all its addresses',
  ENOTFOUND: 'the name has no address',
  EAI_AGAIN: 'the name has no address at the moment',
  EMFILE: 'this process has too many files open (EMFILE). Raise the limit (`ulimit -n 4096`)',
  ENFILE: 'this machine has too many files open (ENFILE). End other programs',
};

/** Whether a host is this machine, reachable only from itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // The only possible error is that it is closed already.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

const BODY_FAILURES: Record<BodyFault, [status: number, type: string]> = {
  tooLong: [413, 'RequestEntityTooLarge'],
  noRoom: [503, 'ServiceUnavailable'],
};

interface Served extends Required<Pick<ListenOptions, 'refuseBody'>> {
  readonly maxBodyBytesOf: (head: ServiceRequest) => number;
  readonly service: Service;
  readonly unread: Unread;
  readonly known: BodyBudget;
  readonly strangers: BodyBudget;
}

/**
 * Lets the service check the request's head, reads the body, and then lets the service answer. It
 * uses callbacks: promises would be a seventh of the cost of a small request.
 *
 * @param isAsking whether the client waits for permission to send the body
 */
function serve(
  { service, maxBodyBytesOf, refuseBody, unread, known, strangers }: Served,
  request: IncomingMessage,
  response: ServerResponse,
  isAsking = false,
): void {
  const caller = new Caller();
  response.on('close', () => {
    if (!response.writableFinished) caller.leave();
  });
  // 'close' reports a broken connection; without a listener, its error would end the process.
  request.on('error', ignore);
  response.on('error', ignore);
  unread.answering(request.socket, response);
  const asked = new HttpRequest(request, caller);
  const maxBodyBytes = maxBodyBytesOf(asked);
  const reply = (served: ServiceResponse) => {
    // The client may have closed its end of the connection while ours is still open.
    if (request.socket.readableEnded) caller.leave();
    send(response, served, caller);
  };
  // Once the data that has arrived so far is read, it is known whether the client has disconnected
  // and the answer must be taken back.
  const replyOrTakeBack = (served: ServiceResponse) => {
    if (served.undelivered) setImmediate(reply, served);
    else reply(served);
  };
  const refuse = (fault: BodyFault) => {
    const message =
      fault === 'tooLong'
        ? `Request body is longer than ${maxBodyBytes} bytes.`
        : 'Too many request bodies at once: try again.';
    send(response, refuseBody(asked, fault, message), caller);
  };
  const admitted = admission(service, asked);
  if ('status' in admitted) {
    dropBody(request, DROP_BYTES);
    send(response, admitted, caller);
    return;
  }
  const { isStranger } = admitted;
  const dropBytes = isStranger ? DROP_BYTES : DROP_TIMES * maxBodyBytes;
  const declaredBytes = Number(request.headers['content-length']);
  if (declaredBytes > maxBodyBytes) {
    if (declaredBytes > dropBytes) response.setHeader('connection', 'close');
    dropBody(request, dropBytes);
    refuse('tooLong');
    return;
  }
  if (isAsking) response.writeContinue();
  const budget = isStranger ? strangers : known;
  const reading = { maxBytes: maxBodyBytes, dropBytes, budget, isStranger };
  new ArrivingBody(request, reading, (body) => {
    if (typeof body === 'string') {
      refuse(body);
      return;
    }
    asked.body = body;
    const served = answer(admitted.answer, asked);
    if (served instanceof Promise) void served.then(replyOrTakeBack);
    else replyOrTakeBack(served);
  });
}

function ignore(): void {}

function send(response: ServerResponse, served: ServiceResponse, caller: Caller): void {
  if (caller.left) {
    served.undelivered?.();
    return;
  }
  caller.onLeave = served.undelivered;
  try {
    // A text is sent in one piece with its head, which takes half as long as bytes.
    response.writeHead(served.status, {
      // The answer to a HEAD names the length of a body that it lacks.
      'content-length': Buffer.byteLength(served.body),
      ...served.headers,
    });
    response.end(served.body);
  } catch {
    // A header that HTTP does not allow: a fault of the service, but not a reason to crash.
    response.destroy();
  }
}
