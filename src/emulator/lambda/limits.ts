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

/** Concurrent executions of an account, all of which one function can use. [quotas] */
export const CONCURRENCY = 1_000;

/** Pauses before the retries of a failed asynchronous invocation, in milliseconds. [async] */
export const ASYNC_RETRY_MS: readonly number[] = [60_000, 120_000];

/**
 * Pauses before the retries of a throttled asynchronous invocation, in milliseconds: the first one,
 * which then doubles each time, and the longest one. [async]
 */
export const ASYNC_THROTTLED_MS = 1_000;
export const ASYNC_THROTTLED_CAP_MS = 300_000;

/**
 * Longest time between the acceptance of an asynchronous invocation and its start, in milliseconds:
 * the default, which is also the maximum, and the minimum that a function can have. [async]
 */
export const ASYNC_AGE_MS = 21_600_000;
export const MIN_ASYNC_AGE_MS = 60_000;

/** Concurrent invocations with which an SQS event source starts. [sqs] */
export const EVENT_SOURCE_START = 5;

/** Concurrent invocations that an SQS event source adds per minute. [sqs] */
export const EVENT_SOURCE_PER_MINUTE = 300;

/** Messages in a batch without a batching window: the most that one receive returns. [sqs] */
export const MAX_BATCH_SIZE = 10;
