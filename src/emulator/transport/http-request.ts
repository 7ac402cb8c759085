import type { IncomingMessage } from 'node:http';
import { normalPath, splitTarget } from './path.ts';
import type { Connection, ServiceRequest } from './service.ts';

const NO_BODY = new Uint8Array();

const NO_QUERY = new URLSearchParams();

/** A class, since the getters of an object literal would give each request its own shape. */
export class HttpRequest implements ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly sentPath: string;
  readonly query: URLSearchParams;
  readonly headers: Record<string, string>;
  /** Empty until it has arrived. */
  body: Uint8Array = NO_BODY;
  readonly secure: boolean;
  readonly connection: Connection;
  readonly #caller: Caller;

  constructor(request: IncomingMessage, caller: Caller) {
    const { sentPath, query } = splitTarget(request.url ?? '/');
    this.method = request.method ?? 'GET';
    this.path = normalPath(sentPath);
    this.sentPath = sentPath;
    this.query = query === '' ? NO_QUERY : new URLSearchParams(query);
    this.headers = headersOf(request);
    this.secure = 'encrypted' in request.socket;
    this.connection = request.socket;
    this.#caller = caller;
  }

  get signal(): AbortSignal {
    return this.#caller.signal;
  }
}

/**
 * The client that waits for an answer. Its signal is created on demand: most clients don't
 * disconnect, and few services use it.
 */
export class Caller {
  /** Called when the client disconnects. */
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

/** Node joins a header's values to one text, except for Set-Cookie, which no request needs. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  delete headers['set-cookie'];
  return headers as Record<string, string>;
}
