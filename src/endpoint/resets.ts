import type { Extensible } from '../middleware.ts';
import { retry } from '../retry.ts';

/** Outside the SDK's own retries, which are three within half a second. */
const EACH_CALL = { step: 'initialize', priority: 'low', name: 'fanfoldResets' } as const;

/** Maximum number of calls, in about ten seconds, if connections keep breaking. */
const CALLS = 8;

const PAUSE_MS = 200;
const PAUSE_CAP_MS = 3_000;

/**
 * Makes a client retry calls whose connections keep breaking, as when a proxy or firewall restarts
 * or a server has reached its connection limit. A refused connection or a missing response is
 * reported at once. An aborted call ends only after the current pause, since middleware doesn't
 * receive the abort signal.
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
