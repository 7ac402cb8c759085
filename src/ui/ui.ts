import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FanfoldError, messageOf } from '../errors.ts';
import { Broadcast } from './broadcast.ts';
import { type Entrance, Sessions } from './entrance.ts';
import type { Html } from './live-html.ts';
import type { LiveRuns } from './live-runs.ts';
import type { Knobs } from './protocol.ts';
import { bodyOf, cookieOf, Refusal, sendJson } from './requests.ts';

export interface UiOptions {
  runs: LiveRuns;
  entrance: Entrance;
  /** Whether a `Host` header may name this server: another one may be an attacker's, by DNS. */
  isHost: (host: string) => boolean;
  /** The cookie's name: browsers share cookies between the ports of a host. */
  cookie: string;
  /** Whether it is reached by TLS. */
  isSecure: boolean;
  /** Paths of pages; those of the API begin with `/api/`. */
  pages: Record<string, () => Promise<Html>>;
}

/** Pages that are connected to events at once. */
const MOST_CONNECTED = 100;

/** Time in which an action must have failed to be refused, in ms: a cancel may take seconds. */
const ACTION_MS = 1_000;

/** What an action did to the run, had it not failed. */
const DONE = { cancel: 'cancelled', pause: 'paused', unpause: 'unpaused', set: 'changed' };

/** A run id, and no path, prefix or text that could mean anything else. */
const RUN = /^\/api\/runs\/([\w-]{1,128})\/(\w+)(?:\/(\d{1,12}))?$/;

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What serves a live page: see `protocol.ts`. Only those that were let in see anything of a run. */
export class Ui {
  readonly #options: UiOptions;
  readonly #sessions = new Sessions();
  readonly #broadcasts = new Map<string, Broadcast>();
  readonly #connected = new Set<ServerResponse>();
  /** Why the last action on a run failed, if that was known only after its answer. */
  readonly #failures = new Map<string, string>();

  constructor(options: UiOptions) {
    this.#options = options;
  }

  /** Whether a request is for the page or its API. */
  has(request: IncomingMessage): boolean {
    const path = pathOf(request);
    return Object.hasOwn(this.#options.pages, path) || path.startsWith('/api/');
  }

  /** Answers a request. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('cache-control', 'no-store');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('cross-origin-resource-policy', 'same-origin');
    response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
    try {
      this.#checkSender(request);
      await this.#handlerOf(request)(request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else refuse(response, error);
    }
  }

  /** Sends the present state of the runs to all pages. */
  async now(): Promise<void> {
    await Promise.all(Array.from(this.#broadcasts.values(), (broadcast) => broadcast.now()));
  }

  /** Resolves once nothing more is to be sent to pages; at the latest after `mostMs`. */
  async drained(mostMs: number): Promise<void> {
    const ending = [...this.#connected].filter(({ writableEnded }) => writableEnded);
    const left = Promise.all(ending.map((response) => once(response, 'close')));
    const waited = Promise.withResolvers<void>();
    const timer = setTimeout(waited.resolve, mostMs);
    await Promise.race([left, waited.promise]);
    clearTimeout(timer);
  }

  /** Refuses requests that other sites have a browser send. */
  #checkSender({ headers: { host = '', origin }, method }: IncomingMessage): void {
    const { isHost, isSecure } = this.#options;
    if (!isHost(host)) {
      throw new Refusal(403, 'This host name is not that of the live page: use its address.');
    }
    const own = `${isSecure ? 'https' : 'http'}://${host}`;
    if (origin === own || (origin === undefined && method === 'GET')) return;
    throw new Refusal(403, `The origin of a request must be ${own}.`);
  }

  #handlerOf(request: IncomingMessage): Handler {
    const path = pathOf(request);
    const page = Object.hasOwn(this.#options.pages, path) ? this.#options.pages[path] : undefined;
    if (page) return only('GET', request, (_, response) => this.#sendPage(page, response));
    if (path === '/api/session') {
      return only('POST', request, (_, response) => this.#openSession(request, response));
    }
    if (!this.#isKnown(request)) {
      throw new Refusal(
        401,
        'This page must be opened by the address with its token, or a secret.',
      );
    }
    if (path === '/api/runs') {
      return only('GET', request, async (_, response) =>
        sendJson(response, 200, await this.#options.runs.list()),
      );
    }
    const [, runId, what = '', index] = RUN.exec(path) ?? [];
    if (runId === undefined) throw new Refusal(404, 'There is nothing at this address.');
    return this.#runHandlerOf(request, runId, what, index);
  }

  #runHandlerOf(
    request: IncomingMessage,
    runId: string,
    what: string,
    index: string | undefined,
  ): Handler {
    const { runs } = this.#options;
    if (what === 'inputs' && index !== undefined) {
      return only('GET', request, async (_, response) =>
        sendJson(response, 200, await runs.input(runId, Number(index))),
      );
    }
    if (index !== undefined) throw new Refusal(404, 'There is nothing at this address.');
    switch (what) {
      case 'events':
        return only('GET', request, (_, response) => this.#follow(runId, response));
      case 'cancel':
      case 'pause':
      case 'unpause':
        return this.#acting(request, runId, what, () => runs[what](runId));
      case 'set':
        // `set` checks the values.
        return this.#acting(request, runId, what, (knobs) => runs.set(runId, knobs as Knobs));
    }
    throw new Refusal(404, 'There is nothing at this address.');
  }

  #acting(
    request: IncomingMessage,
    runId: string,
    what: keyof typeof DONE,
    act: (body: Record<string, unknown>) => Promise<void>,
  ): Handler {
    return only('POST', request, async (_, response) => {
      const acted = act(await bodyOf(request));
      this.#failures.delete(runId);
      await soon(acted, (error) => {
        this.#failures.set(runId, `It could not be ${DONE[what]}: ${messageOf(error)}`);
        void this.#broadcasts.get(runId)?.now();
      });
      void this.#broadcasts.get(runId)?.now();
      response.writeHead(204).end();
    });
  }

  async #sendPage(page: () => Promise<Html>, response: ServerResponse): Promise<void> {
    const { text, policy } = await page();
    response.setHeader('content-security-policy', policy);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.writeHead(200).end(text);
  }

  async #openSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { entrance, cookie, isSecure } = this.#options;
    const { token } = await bodyOf(request);
    if (typeof token !== 'string') throw new Refusal(400, 'The body must have a token, a string.');
    const refused = entrance.refuse(token, request.socket.remoteAddress ?? '');
    if (refused) {
      const { why, waitSeconds } = refused;
      if (waitSeconds === undefined) throw new Refusal(401, why);
      throw new Refusal(429, why, { 'retry-after': String(waitSeconds) });
    }
    const value = `${cookie}=${this.#sessions.open()}; HttpOnly; SameSite=Strict; Path=/`;
    response.setHeader('set-cookie', isSecure ? `${value}; Secure` : value);
    response.writeHead(204).end();
  }

  #isKnown(request: IncomingMessage): boolean {
    return this.#sessions.has(cookieOf(request, this.#options.cookie));
  }

  async #follow(runId: string, response: ServerResponse): Promise<void> {
    if (this.#connected.size >= MOST_CONNECTED) {
      throw new Refusal(503, 'Too many pages are open: close some.');
    }
    this.#connected.add(response);
    response.on('close', () => this.#connected.delete(response));
    const broadcast = this.#broadcasts.get(runId) ?? this.#begin(runId);
    await broadcast.add(response);
  }

  #begin(runId: string): Broadcast {
    const look = async () => {
      const run = await this.#options.runs.look(runId);
      return { ...run, failure: this.#failures.get(runId) };
    };
    const broadcast = new Broadcast(look, () => this.#broadcasts.delete(runId));
    this.#broadcasts.set(runId, broadcast);
    return broadcast;
  }
}

/** The path of a request, without its query. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}

/** No request changes anything by GET: a link or an image could send it. */
function only(method: 'GET' | 'POST', request: IncomingMessage, handler: Handler): Handler {
  if (request.method === method) return handler;
  throw new Refusal(405, `The method must be ${method}.`, { allow: method });
}

function refuse(response: ServerResponse, error: unknown): void {
  const { status, headers } =
    error instanceof Refusal ? error : { status: statusOf(error), headers: {} };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  // The rest of a body that was refused is not read.
  if (status === 413) response.setHeader('connection', 'close');
  sendJson(response, status, {
    error: error instanceof Refusal ? error.message : messageOf(error),
  });
}

function statusOf(error: unknown): number {
  if (!(error instanceof FanfoldError)) return 502;
  if (error.code === 'UnknownRun') return 404;
  return error.code === 'BadOption' || error.code === 'BadInput' ? 400 : 500;
}

/** Waits for an action for a moment. @param onLate called if it fails after that */
async function soon(acted: Promise<void>, onLate: (error: unknown) => void): Promise<void> {
  const waited = Promise.withResolvers<void>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    waited.resolve();
  }, ACTION_MS);
  acted.catch((error: unknown) => {
    if (isLate) onLate(error);
  });
  try {
    await Promise.race([acted, waited.promise]);
  } finally {
    clearTimeout(timer);
  }
}
