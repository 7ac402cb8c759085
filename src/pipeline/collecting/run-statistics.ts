import { Series } from '../../report/series.ts';
import { Sketch, upperBound } from '../../report/sketch.ts';
import type { Statistics } from '../../report/statistics.ts';
import { Workers } from '../../report/workers.ts';
import { FailureKinds } from '../messages/failure-kinds.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Ledger } from '../run/ledger.ts';

/** Farthest that a worker's clock is believed to be off, in milliseconds. */
const CLOCK_MS = 60_000;

/** What the results of a run say about it, in constant memory. */
export class RunStatistics {
  readonly #startedAt: number;
  readonly #now: () => number;
  readonly #durations = new Sketch();
  readonly #series = new Series();
  readonly #workers = new Workers();
  readonly #failures = new FailureKinds();
  #ranMs = 0;

  /** @param now the time by SQS's clock, as that of the workers is */
  constructor(startedAt: number, now: () => number) {
    this.#startedAt = startedAt;
    this.#now = now;
  }

  /** Counts the times of results, each the first of its input, as they arrive. */
  time(fresh: readonly ResultBatch[]): void {
    for (const { timing, count } of fresh) if (timing) this.#time(count, timing);
  }

  /** Counts the failures among results, whether a worker or the collector found them. */
  failed(batch: ResultBatch): void {
    this.#failures.addBatch(batch);
  }

  /** The statistics of the results so far. */
  snapshot(ledger: Ledger): Statistics {
    const durations = this.#durations;
    const quantile = (share: number) => durations.quantile(share) ?? 0;
    return {
      startedAt: this.#startedAt,
      at: this.#now(),
      ledger,
      durations: {
        count: durations.count,
        mean: durations.count === 0 ? 0 : this.#ranMs / durations.count,
        ...{ p50: quantile(0.5), p90: quantile(0.9), p95: quantile(0.95) },
        ...{ p99: quantile(0.99), max: quantile(1) },
        histogram: durations.counted.map(([bucket, count]) => ({ to: upperBound(bucket), count })),
      },
      stepMs: this.#series.stepMs,
      series: this.#series.points,
      workers: this.#workers.list,
      failures: this.#failures.groups,
    };
  }

  #time(results: number, { worker, of }: NonNullable<ResultBatch['timing']>): void {
    const { failed, ranMs, durations } = of;
    const latest = this.#now() + CLOCK_MS;
    const within = (at: number) => Math.min(latest, Math.max(this.#startedAt - CLOCK_MS, at));
    const ok = results - failed;
    const [from, to] = [within(of.ended[0]), within(of.ended[1])];
    this.#durations.merge(durations);
    this.#series.add({ from, to, ok, failed, durations });
    this.#workers.add(worker, { from: within(of.started), to, ok, failed }, ranMs);
    this.#ranMs += ranMs;
  }
}
