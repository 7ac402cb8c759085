import { StandardRetryStrategy } from '@smithy/core/retry';

type Refresh = StandardRetryStrategy['refreshRetryTokenForRetry'];

/**
 * The SDK's standard retries without the quota that all calls of a client share. If throttling or
 * an outage lasts, the quota is used up, and then each call fails at its first refusal. The SDK's
 * adaptive mode does not help: it limits the rate of all calls, and an extension of a claim can't
 * wait.
 */
export class UnmeteredRetries extends StandardRetryStrategy {
  readonly #attempts: number;

  /** @param attempts tries of one call, including the first */
  constructor(attempts: number) {
    super(attempts);
    this.#attempts = attempts;
  }

  override refreshRetryTokenForRetry(...args: Parameters<Refresh>): ReturnType<Refresh> {
    // The token counts the tries before this one; a new strategy has its whole quota.
    return new StandardRetryStrategy(this.#attempts).refreshRetryTokenForRetry(...args);
  }
}
