/** A time in which a worker ran inputs. */
export interface Span {
  /** Start of the first input and end of the last, in milliseconds since 1970. */
  from: number;
  to: number;
  ok: number;
  failed: number;
}

/** What a worker did. */
export interface WorkerStatistics {
  name: string;
  ok: number;
  failed: number;
  /** Sum of the durations of its results, in milliseconds: several inputs may run at once. */
  ranMs: number;
  /** In order of time. Short ones that follow each other closely are joined if there are many. */
  spans: Span[];
  /**
   * When it sent back the rest of a chunk, as its slice was over; in milliseconds since 1970. Not
   * all, if there are over 10,000.
   */
  slices: number[];
}

/** The death of a worker process, which another one has replaced. */
export interface WorkerDeath {
  worker: string;
  /** In milliseconds since 1970. */
  at: number;
}

/** Most spans of a run. */
const MOST_SPANS = 20_000;

/** Most slices of a run. */
const MOST_SLICES = 10_000;

/** Most workers that have a row of their own. */
const MOST_WORKERS = 5_000;

/** Gap over which spans are joined, at first, in milliseconds. */
const FIRST_GAP_MS = 50;

type SavedSpan = [from: number, ms: number, ok: number, failed: number];

/** Workers whose statistics another process continues. */
export interface SavedWorkers {
  gapMs: number;
  workers: [
    name: string,
    ok: number,
    failed: number,
    ranMs: number,
    spans: SavedSpan[],
    slices: number[],
  ][];
  /** Those beyond the most, as one. */
  others?: WorkerStatistics | undefined;
}

/** The workers of a run and when each ran inputs, in bounded memory. */
export class Workers {
  readonly #workers = new Map<string, WorkerStatistics>();
  #spans = 0;
  #slices = 0;
  #gapMs = FIRST_GAP_MS;
  /** Workers beyond the most, as one. */
  #others: WorkerStatistics | undefined;

  /** @param saved what they did before. @default nothing */
  constructor(saved?: SavedWorkers) {
    if (saved === undefined) return;
    this.#gapMs = saved.gapMs;
    this.#others = saved.others;
    for (const [name, ok, failed, ranMs, spans, slices] of saved.workers) {
      this.#workers.set(name, { name, ok, failed, ranMs, spans: spans.map(spanOf), slices });
      this.#spans += spans.length;
      this.#slices += slices.length;
    }
  }

  save(): SavedWorkers {
    const workers = Array.from(this.#workers.values(), ({ spans, slices, ...worker }) => {
      const { name, ok, failed, ranMs } = worker;
      return [
        name,
        ok,
        failed,
        ranMs,
        spans.map(savedSpan),
        slices,
      ] satisfies SavedWorkers['workers'][number];
    });
    return { gapMs: this.#gapMs, workers, others: this.#others };
  }

  add(name: string, span: Span, ranMs: number): void {
    const worker = this.count(name, span, ranMs);
    if (worker === this.#others) return;
    // Messages of a worker may arrive in any order.
    const { spans } = worker;
    const at = spans.findLastIndex(({ from }) => from <= span.from) + 1;
    spans.splice(at, 0, { ...span });
    this.#spans++;
    while (this.#spans > MOST_SPANS) this.#join();
  }

  /** Notes the end of a slice of a worker that has results. */
  sliced(name: string, at: number): void {
    const worker = this.#workers.get(name);
    if (worker === undefined) return;
    worker.slices.push(at);
    if (++this.#slices > MOST_SLICES) this.#thin();
  }

  /** Counts results of which only the durations are known. */
  count(name: string, { ok, failed }: Pick<Span, 'ok' | 'failed'>, ranMs: number) {
    const worker = this.#worker(name);
    worker.ok += ok;
    worker.failed += failed;
    worker.ranMs += ranMs;
    return worker;
  }

  /** All workers, by name. Those that are too many come last, together and without spans. */
  get list(): readonly WorkerStatistics[] {
    const workers = [...this.#workers.values()].sort((one, other) =>
      one.name.localeCompare(other.name, 'en', { numeric: true }),
    );
    return this.#others ? [...workers, this.#others] : workers;
  }

  #worker(name: string): WorkerStatistics {
    const known = this.#workers.get(name);
    if (known !== undefined) return known;
    const worker = { name, ok: 0, failed: 0, ranMs: 0, spans: [], slices: [] };
    if (this.#workers.size < MOST_WORKERS) {
      this.#workers.set(name, worker);
      return worker;
    }
    this.#others ??= { ...worker, name: 'others' };
    return this.#others;
  }

  #thin(): void {
    this.#slices = 0;
    for (const worker of this.#workers.values()) {
      worker.slices = worker.slices.filter((_, at) => at % 2 === 1);
      this.#slices += worker.slices.length;
    }
  }

  #join(): void {
    this.#spans = 0;
    for (const worker of this.#workers.values()) {
      worker.spans = joined(worker.spans, this.#gapMs);
      this.#spans += worker.spans.length;
    }
    this.#gapMs *= 2;
  }
}

function savedSpan({ from, to, ok, failed }: Span): SavedSpan {
  return [from, to - from, ok, failed];
}

function spanOf([from, ms, ok, failed]: SavedSpan): Span {
  return { from, to: from + ms, ok, failed };
}

/** Joins spans that are at most `gapMs` apart. */
function joined(spans: readonly Span[], gapMs: number): Span[] {
  const all: Span[] = [];
  for (const span of spans) {
    const last = all.at(-1);
    if (last === undefined || span.from - last.to > gapMs) {
      all.push(span);
      continue;
    }
    last.to = Math.max(last.to, span.to);
    last.ok += span.ok;
    last.failed += span.failed;
  }
  return all;
}
