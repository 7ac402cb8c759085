import type { Statistics } from '../index.ts';
import { duration } from '../internal.ts';

/** Durations and workers of a run, a line each; none of what is not known. */
export function summaryOf({ durations, workers }: Statistics): string[] {
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
