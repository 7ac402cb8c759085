/** Growth of the pauses between tries. */
export interface Backoff {
  /** Half of the longest first pause, in milliseconds. @default 100 */
  baseMs?: number;
  /** Longest pause, in milliseconds. @default 10000 */
  capMs?: number;
}

export interface RetryOptions extends Backoff {
  /**
   * Whether to try again after an error.
   *
   * @param failures number of failures in a row
   * @param failingMs milliseconds since the first of them
   */
  while: (error: unknown, failures: number, failingMs: number) => boolean;
  /** Aborting it ends a pause, and the tries: the last error is thrown. */
  signal?: AbortSignal;
}

/** Repeats a call, after growing pauses, as long as `while` accepts its errors. */
export async function retry<Answer>(
  call: () => Promise<Answer>,
  { while: mayRetry, signal, ...backoff }: RetryOptions,
): Promise<Answer> {
  let failedAt: number | undefined;
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (error) {
      const now = performance.now();
      failedAt ??= now;
      if (signal?.aborted || !mayRetry(error, failures, now - failedAt)) throw error;
      await wait(backoffMs(failures, backoff), signal);
      if (signal?.aborted) throw error;
    }
  }
}

/**
 * A pause after this many failures in a row: exponential, with full jitter, so that callers that
 * failed together don't return together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(
  failures: number,
  { baseMs = 100, capMs = 10_000 }: Backoff = {},
): number {
  return Math.random() * growth(failures, baseMs, capMs);
}

/** `base`, doubled this many times, up to `cap`. */
export function growth(doublings: number, base: number, cap: number): number {
  return Math.min(cap, base * 2 ** doublings);
}

/** Waits until a promise is fulfilled, but not longer than this. */
export async function waitFor(awaited: Promise<unknown>, longestMs: number): Promise<void> {
  const waited = new AbortController();
  await Promise.race([awaited, wait(longestMs, waited.signal)]);
  waited.abort();
}

/** Waits; ends early when the signal aborts. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
