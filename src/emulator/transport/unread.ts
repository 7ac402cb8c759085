import { maxHeaderSize, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { failure } from './service.ts';

/** Time for a client that keeps sending to see its answer, in milliseconds. */
const LINGER_MS = 1_000;

type Refusal = [status: number, type: string, message: string];

/** Answers to requests that Node can't read, by its error codes. */
const REFUSALS: Record<string, Refusal> = {
  HPE_HEADER_OVERFLOW: [
    431,
    'RequestHeaderFieldsTooLarge',
    `The request's headers are longer than ${maxHeaderSize} bytes.`,
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    413,
    'RequestEntityTooLarge',
    "The chunk extensions of the request's body are too long.",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'RequestTimeout', 'The request took too long to arrive.'],
};

const UNREADABLE: Refusal = [
  400,
  'MalformedRequest',
  'The data received is not an HTTP/1.1 request.',
];

/** Answers requests that can't be read, with a body, and closes their connections. */
export class Unread {
  /** The current or latest answer of each connection. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();
  readonly #refused = new WeakSet<Duplex>();

  answering(socket: Duplex, response: ServerResponse): void {
    this.#answers.set(socket, response);
  }

  refuse({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
    // Another part of a request that was refused already.
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const last = this.#answers.get(socket);
    const isHalfAnswered = last?.headersSent && !last.writableFinished;
    if (!socket.writable || isHalfAnswered) {
      socket.destroy();
      return;
    }
    const [status, type, message] = REFUSALS[code] ?? UNREADABLE;
    const { headers, body } = failure(status, type, message);
    const all = { ...headers, connection: 'close', 'content-length': Buffer.byteLength(body) };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
    // Closing the connection with unread data would discard the answer before the client reads it.
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }
}
