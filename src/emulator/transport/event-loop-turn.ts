import { setImmediate, setTimeout } from 'node:timers';

/** Time for which calls may keep the event loop busy before they let it go on, in milliseconds. */
const TURN_MS = 20;

/** When the first call of this turn of the event loop began. */
let begunAt: number | undefined;

/**
 * Lets timers and I/O of this process run, if calls have kept the event loop busy for a while. A
 * loop of calls that wait for nothing but microtasks would otherwise starve them: a timer that ends
 * the loop would never fire, and a server in the same process would not answer.
 *
 * Under fake timers nothing but microtasks may lie between a call and its answer, so that time
 * does not pass in between.
 *
 * @returns undefined if the call may go on at once
 */
export function turnEnd(): Promise<void> | undefined {
  if (globalThis.setTimeout !== setTimeout) return undefined;
  const now = performance.now();
  if (begunAt === undefined) {
    begunAt = now;
    setImmediate(() => {
      begunAt = undefined;
    });
  }
  if (now - begunAt < TURN_MS) return undefined;
  return new Promise((resolve) => setImmediate(resolve));
}
