import { Series } from '../../report/series.ts';
import { Sketch } from '../../report/sketch.ts';
import { type Statistics, statisticsOf } from '../../report/statistics.ts';
import { type WorkerDeath, Workers } from '../../report/workers.ts';
import { FailureKinds } from '../messages/failure-kinds.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Ledger } from '../run/ledger.ts';

/** Farthest that a worker's clock is believed to be off, in milliseconds. */
const CLOCK_MS = 60_000;

/** What the results of a run say about it, in constant memory. */
export class RunStatistics {
  readonly #startedAt: number;
  readonly #now: () => number;
  readonly #deaths: readonly WorkerDeath[] | undefined;
  readonly #durations = new Sketch();
  readonly #series = new Series();
  readonly #workers = new Workers();
  readonly #failures = new FailureKinds();
  #ranMs = 0;

  /**
   * @param now the time by SQS's clock, as that of the workers is
   * @param deaths of workers, also those that are to come
   */
  constructor(startedAt: number, now: () => number, deaths?: readonly WorkerDeath[]) {
    this.#startedAt = startedAt;
    this.#now = now;
    this.#deaths = deaths;
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
  snapshot(ledger: Ledger, left: readonly number[]): Statistics {
    return statisticsOf(ledger, {
      ...{ startedAt: this.#startedAt, at: this.#now(), durations: this.#durations },
      ...{ ranMs: this.#ranMs, series: this.#series, workers: this.#workers },
      failures: this.#failures.groups,
      left,
      ...(this.#deaths && { deaths: this.#deaths }),
    });
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
