import { gunzipSync, gzipSync } from 'node:zlib';
import { type SavedSeries, Series } from '../../report/series.ts';
import { type Counted, Sketch } from '../../report/sketch.ts';
import { type Statistics, statisticsOf } from '../../report/statistics.ts';
import { type SavedWorkers, type WorkerDeath, Workers } from '../../report/workers.ts';
import { FailureKinds, type SavedKinds } from '../messages/failure-kinds.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import { createdAt } from '../names.ts';
import type { Ledger, RunLedger } from '../run/ledger.ts';

/** Farthest that a worker's clock is believed to be off, in milliseconds. */
const CLOCK_MS = 60_000;

/** Inputs that are named once no others are left. */
const MOST_LEFT = 10;

const VERSION = 1;

/** Statistics that another process continues, or shows. */
interface SavedStatistics {
  v: typeof VERSION;
  startedAt: number;
  at: number;
  ledger: Ledger;
  left: number[];
  ranMs: number;
  durations: readonly Counted[];
  series: SavedSeries;
  workers: SavedWorkers;
  failures: SavedKinds;
}

interface Known {
  /** Deaths of workers, also those that are to come. @default they are not known */
  deaths?: readonly WorkerDeath[] | undefined;
  /** Statistics that these continue, as `save` gave them. @default none */
  before?: Uint8Array | undefined;
}

/** What the results of a run say about it, in constant memory. */
export class RunStatistics {
  readonly #startedAt: number;
  readonly #now: () => number;
  readonly #deaths: readonly WorkerDeath[] | undefined;
  readonly #durations: Sketch;
  readonly #series: Series;
  readonly #workers: Workers;
  readonly #failures: FailureKinds;
  #ranMs: number;

  private constructor(
    startedAt: number,
    now: () => number,
    deaths: readonly WorkerDeath[] | undefined,
    saved: SavedStatistics | undefined,
  ) {
    this.#startedAt = startedAt;
    this.#now = now;
    this.#deaths = deaths;
    this.#durations = new Sketch(saved?.durations);
    this.#series = new Series(saved?.series);
    this.#workers = new Workers(saved?.workers);
    this.#failures = new FailureKinds(saved?.failures);
    this.#ranMs = saved?.ranMs ?? 0;
  }

  /** @param now the time by SQS's clock, as that of the workers is */
  static of(runId: string, now: () => number, { deaths, before }: Known = {}): RunStatistics {
    const saved = before && readSaved(before);
    return new RunStatistics(createdAt(runId) ?? now(), now, deaths, saved);
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
  snapshot(ledger: RunLedger): Statistics {
    return this.#snapshot(ledger.snapshot(), ledger.left(MOST_LEFT));
  }

  /** Compressed: a few kilobytes, and at most about 300 KB. */
  save(ledger: RunLedger): Uint8Array {
    const saved: SavedStatistics = {
      ...{ v: VERSION, startedAt: this.#startedAt, at: this.#now() },
      ...{ ledger: ledger.snapshot(), left: ledger.left(MOST_LEFT), ranMs: this.#ranMs },
      ...{ durations: this.#durations.counted, series: this.#series.save() },
      ...{ workers: this.#workers.save(), failures: this.#failures.save() },
    };
    return gzipSync(JSON.stringify(saved), { level: 1 });
  }

  /** Reads what `save` gave; undefined if it is damaged, or of another version. */
  static read(content: Uint8Array): Statistics | undefined {
    const saved = readSaved(content);
    if (saved === undefined) return undefined;
    const { startedAt, at, ledger, left } = saved;
    return new RunStatistics(startedAt, () => at, undefined, saved).#snapshot(ledger, left);
  }

  #snapshot(ledger: Ledger, left: readonly number[]): Statistics {
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
    if (of.sliced !== undefined) this.#workers.sliced(worker, within(of.sliced));
    this.#ranMs += ranMs;
  }
}

/** Results are worth more than statistics: a run goes on without those that can't be read. */
function readSaved(content: Uint8Array): SavedStatistics | undefined {
  try {
    const saved: SavedStatistics = JSON.parse(gunzipSync(content).toString());
    return saved.v === VERSION ? saved : undefined;
  } catch {
    return undefined;
  }
}
