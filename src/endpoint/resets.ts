import type { Extensible } from '../middleware.ts';
import { retry } from '../retry.ts';

/** Around the SDK's own retries, which are three within half a second. */
const EACH_CALL = { step: 'initialize', priority: 'low', name: 'fanfoldResets' } as const;

/** More calls than these are not made, within some ten seconds, for one whose connections break. */
const CALLS = 8;

const PAUSE_MS = 200;
const PAUSE_CAP_MS = 3_000;

/**
 * Has a client call again when its connections break again and again: a proxy or a firewall that is
 * started anew, a server at its limit of connections. That one refuses connections, or does not
 * answer, is told at once. A call that is aborted ends with the pause at hand: middleware is not given
 * its signal.
 */
export function outlastResets<C extends Extensible<typeof EACH_CALL>>(client: C): C {
  client.middlewareStack.add(
    (next) => (call) =>
      retry(() => next(call), {
        baseMs: PAUSE_MS,
        capMs: PAUSE_CAP_MS,
        while: (error, failures) => failures < CALLS && isReset(error),
      }),
    EACH_CALL,
  );
  return client;
}

function isReset(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
