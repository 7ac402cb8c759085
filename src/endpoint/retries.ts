import { StandardRetryStrategy } from '@smithy/core/retry';

const ATTEMPTS = 3;

type Refresh = StandardRetryStrategy['refreshRetryTokenForRetry'];

/**
 * The SDK's retries without its quota. That spares a service with many clients: a client that has
 * met some fifty refused connections gives up at once from then on. A server that is started again
 * and again would so have what its workers have done wait for the end of their claims.
 */
export class UnmeteredRetries extends StandardRetryStrategy {
  readonly #attempts: number;

  constructor(attempts = ATTEMPTS) {
    super(attempts);
    this.#attempts = attempts;
  }

  override refreshRetryTokenForRetry(...args: Parameters<Refresh>): ReturnType<Refresh> {
    // How often and how long is in the token; one that is new has its whole quota.
    return new StandardRetryStrategy(this.#attempts).refreshRetryTokenForRetry(...args);
  }
}
