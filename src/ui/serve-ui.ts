import { listen } from '../emulator/transport/index.ts';
import { failure } from '../emulator/transport/service.ts';
import { OneTimeToken } from './entrance.ts';
import { type Html, liveHtml } from './live-html.ts';
import type { LiveRuns } from './live-runs.ts';
import { Ui } from './ui.ts';

/** A live page on a port of this machine. */
export interface ServedUi {
  /** Its address, with a token that works once. */
  readonly address: string;
  /** Sends the present state of the runs to all pages, before the next interval. */
  now(): Promise<void>;
  /** Ends, once the pages have what was sent; at the latest after a moment. */
  close(): Promise<void>;
}

export interface ServeUiOptions {
  /** 0 takes any free port. @default 0 */
  port?: number | undefined;
  /** @default the live page */
  html?: () => Promise<Html>;
}

const OWN_NAMES = ['127.0.0.1', 'localhost'];

/** How long a slow page may hold up the end, in milliseconds. */
const CLOSE_MS = 1_000;

/**
 * Serves a live page on the loopback interface.
 *
 * @throws FanfoldError `BadOption` when the port is taken
 */
export async function serveUi(
  runs: LiveRuns,
  { port: wanted = 0, html = liveHtml }: ServeUiOptions = {},
): Promise<ServedUi> {
  const entrance = new OneTimeToken();
  let port = wanted;
  let ui: Ui | undefined;
  const server = await listen(() => failure(404, 'NotFound', 'There is nothing here.'), {
    port,
    pages(request, response) {
      void ui?.answer(request, response);
      return ui !== undefined;
    },
  });
  port = server.port;
  ui = new Ui({
    ...{ runs, entrance, cookie: `fanfold-${port}`, isSecure: false, pages: { '/': html } },
    isHost: (host) => OWN_NAMES.some((name) => host === hostOf(name, port)),
  });
  const own = ui;
  return {
    address: `${server.url}/#token=${entrance.token}`,
    now: () => own.now(),
    async close() {
      await own.drained(CLOSE_MS);
      await server.close();
    },
  };
}

/** The `Host` header of a browser, which leaves out HTTP's own port. */
function hostOf(name: string, port: number): string {
  return port === 80 ? name : `${name}:${port}`;
}
