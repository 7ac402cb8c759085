import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An API that fails: /busy/* answers 503 twice before it answers, /broken/* breaks the first
 * connection, /silent never answers, /missing answers 404.
 */
export async function startApi(): Promise<{ url: string } & AsyncDisposable> {
  const calls = new Map<string, number>();
  const server = createServer(({ url = '' }, response) => {
    const call = (calls.get(url) ?? 0) + 1;
    calls.set(url, call);
    if (url === '/silent') return;
    if (url === '/missing') return response.writeHead(404).end();
    if (url.startsWith('/busy/') && call <= 2) return response.writeHead(503).end();
    if (url.startsWith('/broken/') && call === 1) return response.destroy();
    response.end(JSON.stringify({ degrees: 20 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
