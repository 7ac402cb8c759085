import type { IncomingMessage } from 'node:http';
import { splitTarget } from './path.ts';
import type { ServiceRequest } from './service.ts';

const NO_BODY = new Uint8Array();

const NO_QUERY = new URLSearchParams();

/** A class, since the getters of an object literal would give each request a shape of its own. */
export class HttpRequest implements ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Record<string, string>;
  /** Empty until it has arrived. */
  body: Uint8Array = NO_BODY;
  readonly secure: boolean;
  readonly #caller: Caller;

  constructor(request: IncomingMessage, caller: Caller) {
    const { path, query } = splitTarget(request.url ?? '/');
    this.method = request.method ?? 'GET';
    this.path = path;
    this.query = query === '' ? NO_QUERY : new URLSearchParams(query);
    this.headers = headersOf(request);
    this.secure = 'encrypted' in request.socket;
    this.#caller = caller;
  }

  get signal(): AbortSignal {
    return this.#caller.signal;
  }
}

/** Who waits for an answer. Most never leave, and few services ask: so the signal is made late. */
export class Caller {
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

/** Node gives one text a header, but for Set-Cookie, which no request has a use for. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  delete headers['set-cookie'];
  return headers as Record<string, string>;
}
