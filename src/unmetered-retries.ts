import { StandardRetryStrategy } from '@smithy/core/retry';

type Refresh = StandardRetryStrategy['refreshRetryTokenForRetry'];

/**
 * The SDK's standard retries without the quota that all calls of a client share. Where throttling or
 * an outage lasts, the quota ends, and from then on each call fails at its first refusal. The SDK's
 * adaptive mode is no way out: it limits the rate of all calls, and an extension of a claim can't wait.
 */
export class UnmeteredRetries extends StandardRetryStrategy {
  readonly #attempts: number;

  /** @param attempts tries at one call, the first one included */
  constructor(attempts: number) {
    super(attempts);
    this.#attempts = attempts;
  }

  override refreshRetryTokenForRetry(...args: Parameters<Refresh>): ReturnType<Refresh> {
    // The token knows the tries before this one; a new strategy has its whole quota.
    return new StandardRetryStrategy(this.#attempts).refreshRetryTokenForRetry(...args);
  }
}
