import type { Statistics } from '../index.ts';
import { duration } from '../internal.ts';
import { say, sayShort } from './log.ts';

/** Most lines of a summary. */
const MOST_LINES = 10;

/** What to do next, in a line. */
export interface Hint {
  text: string;
  /** If there are too many lines, those of the highest rank are left out. */
  rank: number;
}

export interface Summary {
  /** All are shown. */
  facts: string[];
  /** The kinds of failures, in at most so many lines: 2 at least. */
  kindsIn: (lines: number) => string[];
  hints: Hint[];
}

/** Says how a run ended, in at most ten lines. */
export function saySummary({ facts, kindsIn, hints }: Summary): void {
  const least = facts.length + kindsIn(2).length;
  const most = Math.max(0, MOST_LINES - least);
  const byRank = hints.toSorted((one, other) => one.rank - other.rank).slice(0, most);
  const kept = hints.filter((hint) => byRank.includes(hint));
  for (const fact of facts) say(fact);
  for (const kind of kindsIn(Math.max(2, MOST_LINES - facts.length - kept.length))) sayShort(kind);
  for (const { text } of kept) say(text);
}

/** Durations and workers of a run, a line each; none of what is not known. */
export function timesOf({ durations, workers }: Statistics): string[] {
  return [durationsText(durations), workersText(workers)].filter((line) => line !== undefined);
}

function durationsText({ count, p50, p95, max }: Statistics['durations']): string | undefined {
  if (count === 0) return undefined;
  if (count === 1) return `duration: ${duration(max)}`;
  return `durations: median ${duration(p50)}, 95 % within ${duration(p95)}, longest ${duration(max)}`;
}

function workersText(workers: Statistics['workers']): string | undefined {
  const known = workers
    .map(({ name, ok, failed, ranMs }) => ({ name, ranMs, results: ok + failed }))
    .filter(({ results }) => results > 0);
  if (known.length < 2) return undefined;
  const by = (value: (worker: (typeof known)[number]) => number) =>
    known.reduce((most, worker) => (value(worker) > value(most) ? worker : most));
  const busiest = by(({ ranMs }) => ranMs);
  const slowest = by(({ ranMs, results }) => ranMs / results);
  const mean = duration(slowest.ranMs / slowest.results);
  const who = slowest === busiest ? ', and' : `; ${slowest.name} was`;
  return `workers: ${busiest.name} was busiest, ${duration(busiest.ranMs)}${who} slowest, ${mean} an input`;
}
