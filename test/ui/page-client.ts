import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

/** What a browser does with the address of a live page. */
export class PageClient {
  readonly origin: string;
  readonly token: string;
  cookie: string | undefined;

  constructor(address: string) {
    const url = new URL(address);
    this.origin = url.origin;
    this.token = url.hash.replace('#token=', '');
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.origin}${path}`, { headers: { ...this.#cookies(), ...headers } });
  }

  /** The status of a request with another `Host`, which `fetch` does not send. */
  async statusWith(host: string, path: string): Promise<number | undefined> {
    const response = await this.unread(path, { host });
    response.resume();
    return response.statusCode;
  }

  /** A response of which nothing is read yet. */
  async unread(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const given = { ...this.#cookies(), ...headers };
    const [response] = await once(
      request(`${this.origin}${path}`, { headers: given }).end(),
      'response',
    );
    return response;
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const given = { origin: this.origin, 'content-type': 'application/json', ...headers };
    const request = { method: 'POST', body: JSON.stringify(body) };
    return fetch(`${this.origin}${path}`, {
      ...request,
      headers: { ...this.#cookies(), ...given },
    });
  }

  /** Exchanges a token for the cookie. */
  async enter(token = this.token): Promise<Response> {
    const response = await this.post('/api/session', { token });
    const cookie = response.headers.get('set-cookie')?.split(';')[0];
    if (cookie !== undefined) this.cookie = cookie;
    return response;
  }

  /** The events of a run, until it ends or the connection breaks. */
  async *events(runId: string): AsyncGenerator<{ event: string; data: string }, void> {
    const { body, status } = await this.get(`/api/runs/${runId}/events`);
    if (body === null || status !== 200) throw new Error(`the answer is ${status}`);
    let text = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 2);
        if (event !== undefined && data !== undefined) yield { event, data };
      }
    }
  }

  #cookies(): Record<string, string> {
    return this.cookie === undefined ? {} : { cookie: this.cookie };
  }
}
