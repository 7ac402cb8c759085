import type { Point, Series } from './series.ts';
import { type Sketch, upperBound } from './sketch.ts';
import type { WorkerDeath, WorkerStatistics, Workers } from './workers.ts';

/** A group of failures that are alike. */
interface Failures {
  code: string;
  /** Name and message; numbers in which they differ are `N`. */
  message: string;
  count: number;
  /** True if there may be more of them than `count`. */
  isLeast?: true;
  /** Up to five inputs that failed so. */
  indexes: number[];
}

/**
 * What is known of a run from its results. All times are in milliseconds since 1970, by SQS's
 * clock, and all durations in milliseconds. A duration is known to within 4.5 %.
 */
export interface Statistics {
  /** Creation of the run. */
  startedAt: number;
  /** Time of these statistics. */
  at: number;
  ledger: { inputs: number; ok: number; failed: number; cancelled: number; sealed: boolean };
  /** Durations of the attempts that gave a result. */
  durations: {
    count: number;
    mean: number;
    p50: number;
    p90: number;
    p95: number;
    p99: number;
    max: number;
    /** Number of durations up to `to` and above that of the entry before. */
    histogram: { to: number; count: number }[];
  };
  /** Length of a step of `series`. */
  stepMs: number;
  /** Results over time, without gaps. */
  series: readonly Point[];
  /** By name. From the 5001st on, workers are one, named `others`, without spans. */
  workers: readonly WorkerStatistics[];
  /** Indexes without a result, once all inputs are seeded and at most ten are left. */
  left: readonly number[];
  /** Worker processes of this machine that died during the run; the last thousand. */
  deaths: readonly WorkerDeath[];
  /** The most frequent first. */
  failures: readonly Failures[];
}

/** What statistics are made of. */
interface Counted {
  startedAt: number;
  at: number;
  durations: Sketch;
  /** Sum of the durations, in milliseconds. */
  ranMs: number;
  workers: Workers;
  failures: Failures[];
  /** @default none are known */
  left?: readonly number[];
  /** @default none are known */
  deaths?: readonly WorkerDeath[];
  /** Results over time. @default not known */
  series?: Series;
}

export function statisticsOf(ledger: Statistics['ledger'], counted: Counted): Statistics {
  const {
    startedAt,
    at,
    durations,
    ranMs,
    workers,
    failures,
    left = [],
    deaths = [],
    series,
  } = counted;
  const quantile = (share: number) => durations.quantile(share) ?? 0;
  return {
    ...{ startedAt, at, ledger },
    durations: {
      count: durations.count,
      mean: durations.count === 0 ? 0 : ranMs / durations.count,
      ...{ p50: quantile(0.5), p90: quantile(0.9), p95: quantile(0.95) },
      ...{ p99: quantile(0.99), max: quantile(1) },
      histogram: durations.counted.map(([bucket, count]) => ({ to: upperBound(bucket), count })),
    },
    stepMs: series?.stepMs ?? 0,
    series: series?.points ?? [],
    workers: workers.list,
    left,
    deaths: deaths.filter((death) => death.at >= startedAt),
    failures,
  };
}
