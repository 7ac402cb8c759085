import type { Statistics } from './statistics.ts';
import type { Span, WorkerStatistics } from './workers.ts';

/** One input, as far as it is known. Values are JSON texts, cut if they are long. */
export interface InputDetail {
  index: number;
  /** Undefined if there is no result yet. */
  status: 'ok' | 'failed' | 'cancelled' | 'unknown' | undefined;
  input: string | undefined;
  output: string | undefined;
  error: string | undefined;
  ms: number | undefined;
  worker: string | undefined;
  attempts: number | undefined;
  log: { time: string; level: string; text: string }[];
  /** Where else its log lines are, such as a link to Logs Insights. */
  logLink: string | undefined;
  /** Sentences about what is not known. */
  missing: string[];
}

/** What a report shows of a run. */
export interface ReportData {
  task: string;
  runId: string | undefined;
  /** Name of the stack or server that ran it; undefined if it was this machine. */
  place: string | undefined;
  /** Why the run ended early, such as `it was cancelled`. */
  cause: string | undefined;
  /** Sentences about what is not known of the run. */
  missing: string[];
  statistics: Statistics;
  /** Inputs that failed, as JSON texts by their indexes. @default a report that shows no inputs */
  inputs?: [index: number, text: string][] | undefined;
  /** Some inputs that failed, and how. @default none is known */
  samples?: Sample[] | undefined;
}

/** An input that failed. Its log lines are there only if the report shows inputs. */
export type Sample = Pick<InputDetail, 'index' | 'error' | 'ms' | 'worker' | 'attempts' | 'log'>;

/** A span in numbers: start since the run's creation and length in milliseconds, ok and failed. */
type PackedSpan = [startMs: number, ms: number, ok: number, failed: number];

/** Slices are in milliseconds since the run's creation, too. */
type PackedWorker = Omit<WorkerStatistics, 'spans' | 'slices'> & {
  spans: PackedSpan[];
  slices?: number[];
};

/** The same in a third of the bytes, for tens of thousands of spans. */
export interface PackedReport extends Omit<ReportData, 'statistics'> {
  statistics: Omit<Statistics, 'workers'> & { workers: PackedWorker[] };
}

export function packed({ statistics, ...about }: ReportData): PackedReport {
  const pack = ({ from, to, ok, failed }: Span): PackedSpan => [
    Math.round(from - statistics.startedAt),
    Math.round(to - from),
    ok,
    failed,
  ];
  const workers = statistics.workers.map((worker) => ({
    ...worker,
    spans: worker.spans.map(pack),
    slices: worker.slices.map((at) => Math.round(at - statistics.startedAt)),
  }));
  return { ...about, statistics: { ...statistics, workers } };
}

export function unpacked({ statistics, ...about }: PackedReport): ReportData {
  const unpack = ([startMs, ms, ok, failed]: PackedSpan): Span => {
    const from = statistics.startedAt + startMs;
    return { from, to: from + ms, ok, failed };
  };
  const workers = statistics.workers.map((worker) => ({
    ...worker,
    spans: worker.spans.map(unpack),
    // Reports of earlier versions have none.
    slices: (worker.slices ?? []).map((ms) => statistics.startedAt + ms),
  }));
  // Reports of earlier versions have neither.
  const { deaths = [], left = [] }: Partial<Pick<Statistics, 'deaths' | 'left'>> = statistics;
  return { ...about, statistics: { ...statistics, workers, deaths, left } };
}
