import { StandardRetryStrategy } from '@smithy/core/retry';

/**
 * Tries at one call to SQS. The SDK's pauses between them are drawn at random: up to a second at
 * first where it is throttled, and up to twice as long each further time, 20 s at most. So about
 * 45 s of throttling are waited out. What is given up then is not lost: a chunk comes back, a seed
 * is invoked again.
 */
const ATTEMPTS = 9;

type Refresh = StandardRetryStrategy['refreshRetryTokenForRetry'];

/**
 * The SDK's standard retries, without the quota that all calls of a client share: it comes to an
 * end where throttling lasts, and from then on each call fails at its first refusal. Nor is this
 * its adaptive mode, which limits the rate of all calls: one that extends a claim can't wait.
 */
export class PatientRetries extends StandardRetryStrategy {
  constructor() {
    super(ATTEMPTS);
  }

  /** What is needed of the tries before is in the token: the quota alone is the strategy's. */
  override refreshRetryTokenForRetry(...tried: Parameters<Refresh>): ReturnType<Refresh> {
    return new StandardRetryStrategy(ATTEMPTS).refreshRetryTokenForRetry(...tried);
  }
}
