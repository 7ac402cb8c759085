/**
 * Lambda's limits, each with its source.
 *
 * [quotas] https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 * [async]  https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 * [sqs]    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */

/** Request and response of a synchronous invocation, in bytes. [quotas] */
export const MAX_SYNC_PAYLOAD_BYTES = 6_291_456;

/** Request of an asynchronous invocation, in bytes. [quotas] */
export const MAX_ASYNC_PAYLOAD_BYTES = 1_048_576;

/** Concurrent executions of an account, which one function may use up. [quotas] */
export const CONCURRENCY = 1_000;

/** How long after an asynchronous invocation failed it is tried again, in milliseconds. [async] */
export const ASYNC_RETRY_MS: readonly number[] = [60_000, 120_000];

/**
 * How long after an asynchronous invocation was throttled it is tried again, in milliseconds: the
 * first time, each further time twice as long, and the longest. [async]
 */
export const ASYNC_THROTTLED_MS = 1_000;
export const ASYNC_THROTTLED_CAP_MS = 300_000;

/**
 * How long after it was accepted an asynchronous invocation may begin, in milliseconds: the longest,
 * which is the default, and the shortest that a function may ask for. [async]
 */
export const ASYNC_AGE_MS = 21_600_000;
export const MIN_ASYNC_AGE_MS = 60_000;

/** Concurrent invocations that an SQS event source starts with. [sqs] */
export const EVENT_SOURCE_START = 5;

/** Concurrent invocations that an SQS event source adds in a minute. [sqs] */
export const EVENT_SOURCE_PER_MINUTE = 300;

/** Messages of a batch without a batching window: what one receive can bring. [sqs] */
export const MAX_BATCH_SIZE = 10;
