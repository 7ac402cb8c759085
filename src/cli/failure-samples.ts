import type { FailedResult, LogLine, Statistics } from '../index.ts';
import type { ResultBatch, Sample } from '../internal.ts';
import { keptLines } from './resume/kept-log.ts';
import { textOf } from './task-log.ts';

/** Most samples of a report, of all kinds of failure together. */
const MOST_SHOWN = 50;

/** Most samples that are remembered: rare kinds are forgotten, and their samples with the oldest. */
const MOST_KEPT = 1_000;

/** Longest error, text in it, and log line, in characters; and lines of an input. */
const LONGEST_ERROR = 2_000;
const LONGEST_TEXT = 500;
const LONGEST_LINE = 500;
const MOST_LINES = 20;

/** Examples of each kind of failure. */
export class FailureSamples {
  readonly #kept = new Map<number, Sample>();

  /** Keeps those of a batch. @param examples their indexes */
  keep(batch: ResultBatch, examples: readonly number[]): void {
    if (examples.length === 0) return;
    const wanted = new Set(examples);
    for (const { index, text } of batch.lines) {
      if (wanted.has(index)) this.#kept.set(index, sampleOf(JSON.parse(text) as FailedResult));
    }
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
  }

  /** Those of the most frequent kinds: one of each, then a second of each, and so on. */
  shown({ failures }: Pick<Statistics, 'failures'>): Sample[] {
    const most = Math.max(0, ...failures.map(({ indexes }) => indexes.length));
    const inTurn = Array.from({ length: most }, (_, at) => at).flatMap((at) =>
      failures.flatMap(({ indexes }) => indexes.slice(at, at + 1)),
    );
    return inTurn.flatMap((index) => this.#kept.get(index) ?? []).slice(0, MOST_SHOWN);
  }
}

function sampleOf({ index, error, ms, worker }: FailedResult): Sample {
  // It stays JSON, unless there are many long texts.
  const short = (_: string, value: unknown) =>
    typeof value === 'string' ? cut(value, LONGEST_TEXT) : value;
  const text = JSON.stringify(error, short, 2);
  const { attempts } = error;
  return { index, error: cut(text, LONGEST_ERROR), ms, worker, attempts, log: [] };
}

/** Adds the log lines that are kept beside an output. */
export async function withLogs(samples: readonly Sample[], output: string): Promise<Sample[]> {
  const lines = new Map<number | undefined, Sample['log']>();
  for (const { index } of samples) lines.set(index, []);
  const indexes = samples.map(({ index }) => index);
  for await (const { line } of keptLines(output, indexes)) {
    const { time = '', level = 'info' } = line;
    const log = line.full ? undefined : lines.get(line.index);
    if (!log || log.length >= MOST_LINES) continue;
    log.push({ time, level, text: cut(textOf(line as LogLine), LONGEST_LINE) });
  }
  return samples.map((sample) => ({ ...sample, log: lines.get(sample.index) ?? [] }));
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}\u2026`;
}
