import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pageOf, policyOf } from '../../src/report/page.ts';
import { packed } from '../../src/report/report-data.ts';
import type { InputDetail, ListedRun, LiveRun } from '../../src/ui/protocol.ts';
import { largeReport } from './browser.ts';

export const TOKEN = 'a-token';

/** A server that says what a test wants, and remembers what it was asked to do. */
export class FakeUi {
  /** Undefined: there is no such run. */
  run: LiveRun | undefined = liveRun();
  runs: ListedRun[] = [];
  detail: Partial<InputDetail> = {};
  /** The next action is refused so. */
  refusal: string | undefined;
  readonly asked: string[] = [];
  readonly #followers = new Set<ServerResponse>();
  #cookies = new Set(['first']);
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async listen(port = 0): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Sends a snapshot to the pages. */
  show(changes: Partial<LiveRun>): void {
    this.run = { ...(this.run ?? liveRun()), ...changes };
    for (const follower of this.#followers) this.#send(follower);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Forgets who was let in. */
  lock(): void {
    this.#cookies = new Set(['second']);
    this.#server.closeAllConnections();
  }

  #send(follower: ServerResponse): void {
    follower.write(`event: run\ndata: ${JSON.stringify(this.run)}\n\n`);
    if (this.run?.state === 'ended') follower.end('event: end\ndata: {}\n\n');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body = await textOf(request);
    if (path === '/') return this.#sendPage(response);
    if (path === '/api/session') return this.#openSession(body, response);
    const [, cookie = ''] = (request.headers.cookie ?? '').split('=');
    if (!this.#cookies.has(cookie)) return refuse(response, 401, 'A token is needed.');
    if (path === '/api/runs') return sendJson(response, { place: undefined, runs: this.runs });
    if (path.endsWith('/events')) return this.#follow(response);
    const index = /\/inputs\/(\d+)$/.exec(path)?.[1];
    if (index !== undefined) {
      const missing = ['Log lines are kept for a day.'];
      return sendJson(response, { index: Number(index), log: [], missing, ...this.detail });
    }
    this.asked.push(`${path.split('/').at(-1)} ${body}`);
    if (this.refusal) return refuse(response, 400, this.refusal);
    response.writeHead(204).end();
  }

  #follow(response: ServerResponse): void {
    if (!this.run) {
      refuse(response, 404, 'There is no run r1.');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#followers.add(response);
    response.on('close', () => this.#followers.delete(response));
    this.#send(response);
  }

  #openSession(body: string, response: ServerResponse): void {
    if (JSON.parse(body).token !== TOKEN) {
      refuse(response, 401, 'This token is wrong.');
      return;
    }
    const [cookie] = this.#cookies;
    response.setHeader('set-cookie', `ui=${cookie}; HttpOnly; SameSite=Strict`);
    response.writeHead(204).end();
  }

  async #sendPage(response: ServerResponse): Promise<void> {
    page ??= pageOf('live');
    const { script, style } = await page;
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyOf(await page, "connect-src 'self'"),
    });
    response.end(`<!doctype html><html lang="en"><head><title>Fanfold</title>
      <meta name="viewport" content="width=device-width, initial-scale=1"><style>${style}</style>
      </head><body><div id="root"></div><script>${script}</script></body></html>`);
  }
}

let page: ReturnType<typeof pageOf> | undefined;

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function refuse(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error }));
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** A run of a million inputs on a thousand workers, on the way. */
export function liveRun(data = largeReport(1_000)): LiveRun {
  const statistics = { ...data.statistics, left: [12] };
  return {
    report: packed({ ...data, statistics }),
    ...{ state: 'running', because: undefined, inputs: 2_000_000, isSealed: true },
    ...{ rate: 9_870, etaMs: 101_000, usd: 1.234, usdInAll: 2.47 },
    knobs: { concurrency: 500, rate: null },
    limit: 'All workers are busy: 40 chunks wait for one.',
    can: ['cancel', 'pause', 'set', 'inputs'],
  };
}

/** The same after some more time. */
export function later(run: LiveRun, ms: number): LiveRun['report'] {
  const { statistics } = run.report;
  const ok = statistics.ledger.ok + ms;
  return {
    ...run.report,
    statistics: { ...statistics, at: statistics.at + ms, ledger: { ...statistics.ledger, ok } },
  };
}
