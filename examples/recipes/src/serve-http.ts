import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Answer {
  status?: number;
  body?: string;
}

interface Request {
  url: string;
  authorization: string | undefined;
  body: string;
}

/** A server on a free port, for tests: the site, API or model that a recipe calls. */
export async function serveHttp(answer: (request: Request) => Answer | Promise<Answer>) {
  const server = createServer(async (request, response) => {
    const { url = '', headers } = request;
    const { authorization } = headers;
    const { status = 200, body = '' } = await answer({
      url,
      authorization,
      body: await text(request),
    });
    response.writeHead(status, { 'content-type': 'text/html' }).end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
