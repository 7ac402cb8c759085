import { drawNormal, type Random } from './random.ts';

/**
 * How AWS behaves, in numbers. Each has its source, and the month in which it was read; where AWS
 * publishes none, it says that it is an assumption, and why that one. `prices.ts` has the prices.
 *
 * [scaling]  docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html, 2026-11
 * [sqs]      docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html, 2026-11
 * [quotas]   docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, 2026-11
 * [faq]      aws.amazon.com/sqs/faqs, 2026-11: "tens or low hundreds of milliseconds" for a send,
 *            a receive and a delete
 * [momento]  gomomento.com/blog/how-we-turned-up-the-heat-on-node-js-lambda-cold-starts, 2023-11
 */

/** Durations of which half are at most `medianMs`, and 99 % at most `p99Ms`: log-normal. */
export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/**
 * A call of SQS, from a function in its region and from outside of AWS. Assumptions: AWS promises
 * only what is in [faq], and functions in a region measure about 10 ms.
 */
export const SQS_CALL = {
  inside: { medianMs: 10, p99Ms: 50 },
  outside: { medianMs: 60, p99Ms: 150 },
} as const satisfies Record<string, Latency>;

/** An invocation from outside until the function begins, and back; without cold start. Assumption. */
export const INVOKE = {
  inside: { medianMs: 15, p99Ms: 60 },
  outside: { medianMs: 65, p99Ms: 160 },
} as const satisfies Record<string, Latency>;

/** From the wish for a new environment to its INIT, which is not billed. Assumption. */
export const ENVIRONMENT: Latency = { medianMs: 100, p99Ms: 400 };

/** Size of the workers' bundle with the built-in tasks, in bytes, rounded up. */
export const BUNDLE_BYTES = 500_000;

/** INIT of Node.js with a bundle of 260 KB, and for each further KB, in milliseconds. [momento] */
const INIT_MS = 100;
const INIT_BYTES = 260_000;
const INIT_MS_EACH_KB = (1_000 - INIT_MS) / (1_500 - INIT_BYTES / 1_000);

/** INIT is cut off after this, and starts again under the function's own timeout. [quotas] */
const LONGEST_INIT_MS = 10_000;

/** 99 % of INITs take at most this many times the median. Assumption. */
const INIT_SPREAD = 2.5;

/**
 * INIT of a Node.js function, which is billed. Memory does not change it: with 256, 512 and 1,024 MB
 * it took as long, since INIT has more of a processor than the function. [momento]
 */
export function initOf(bundleBytes: number): Latency {
  const more = Math.max(0, bundleBytes - INIT_BYTES) / 1_000;
  const medianMs = Math.min(LONGEST_INIT_MS, INIT_MS + more * INIT_MS_EACH_KB);
  return { medianMs, p99Ms: Math.min(LONGEST_INIT_MS, medianMs * INIT_SPREAD) };
}

/** Memory that gives a function one processor, in MB; a thread can't use more. [quotas] */
const ONE_PROCESSOR_MB = 1_769;

/** The share of one processor that a thread of a function has: it grows with the memory. */
export function processorShare(memoryMb: number): number {
  return Math.min(1, memoryMb / ONE_PROCESSOR_MB);
}

/** Concurrent executions of an account, until it asks for more. New accounts may have ten. [quotas] */
export const ACCOUNT_CONCURRENCY = 1_000;

/**
 * New environments of one function per second: 1,000 in 10 s, refilled continuously. [scaling] That
 * a function which was idle may start a thousand of them at once is not said, and not assumed.
 */
export const ENVIRONMENTS_PER_SECOND = 100;

/** Seconds until a function whose invocations all wait has so many environments. */
export function secondsToEnvironments(environments: number): number {
  return environments / ENVIRONMENTS_PER_SECOND;
}

/** Concurrent invocations that an SQS event source starts with, and adds each minute. [sqs] */
export const EVENT_SOURCE = { start: 5, perMinute: 300 };

/** Concurrent invocations of an SQS event source whose queue has been full for some seconds. */
export function eventSourceConcurrency(seconds: number, maximum: number): number {
  const { start, perMinute } = EVENT_SOURCE;
  return Math.min(maximum, start + Math.floor((seconds / 60) * perMinute));
}

/** Standard normal quantile of 0.99. */
const Z99 = 2.326348;

/** A latency, in milliseconds. */
export function drawn({ medianMs, p99Ms }: Latency, random: Random): number {
  return medianMs * (p99Ms / medianMs) ** (drawNormal(random) / Z99);
}
