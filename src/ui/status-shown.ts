import { count } from '../errors.ts';
import type { Backlog } from '../pipeline/run/backlog.ts';
import type { EndedRun } from '../pipeline/run/ended.ts';
import { isOver, type RunStatus } from '../pipeline/run/status.ts';
import { packed, type ReportData } from '../report/report-data.ts';
import { Sketch } from '../report/sketch.ts';
import { type Statistics, statisticsOf } from '../report/statistics.ts';
import { Workers } from '../report/workers.ts';
import { costSoFar } from './cost-so-far.ts';
import { limitOf } from './limit.ts';
import type { ListedRun, LiveRun, RunState } from './protocol.ts';

/** A run as those know it who don't collect it. */
export type Known = RunStatus | EndedRun;

/** What else is known of a run that others collect. */
export interface About {
  place: string;
  isCancelling: boolean;
  /** Results in a second. */
  rate: number | undefined;
  backlog: Backlog | undefined;
  /** As its collector has published them; undefined if it has not. */
  statistics: Statistics | undefined;
  /** Whether the page can show more of an input. */
  hasInputs: boolean;
}

function isEnded(run: Known): run is EndedRun {
  return 'endedAt' in run;
}

export function stateOf(run: Known, isCancelling: boolean): RunState {
  if (isEnded(run) || isOver(run)) return 'ended';
  if (isCancelling) return 'cancelling';
  return run.pausedAt === undefined && run.outage === undefined ? 'running' : 'paused';
}

export function listedOf(run: Known, isCancelling: boolean): ListedRun {
  const { runId, task, createdAt, total, ok, failed } = run;
  const isSealed = isEnded(run) || run.state === 'sealed';
  const cancelled = isEnded(run) ? run.cancelled : 0;
  const state = stateOf(run, isCancelling);
  return { runId, task, createdAt, state, ok, failed, cancelled, inputs: total, isSealed };
}

interface Counts {
  ok: number;
  failed: number;
  /** When they were counted; 0 if that is not known. */
  at: number;
}

/** What the run's collector has counted last: it publishes its counts and its statistics. */
export function latestOf(run: Known, statistics: Statistics | undefined): Counts {
  const { ok, failed } = run;
  const known = { ok, failed, at: isEnded(run) ? run.endedAt : (run.collectedAt ?? 0) };
  if (statistics === undefined || isEnded(run) || statistics.at < known.at) return known;
  const { ledger, at } = statistics;
  return { ok: Math.max(ok, ledger.ok), failed: Math.max(failed, ledger.failed), at };
}

/** The report of a run that another process collects. */
export function reportOfKnown(
  run: Known,
  place: string,
  published: Statistics | undefined,
): ReportData {
  const { runId, task, createdAt, total, readAt } = run;
  const { ok, failed } = latestOf(run, published);
  const [cancelled, cause, at] = isEnded(run)
    ? [run.cancelled, run.cause, run.endedAt]
    : [0, undefined, readAt];
  const sealed = isEnded(run) || run.state === 'sealed';
  const ledger = { inputs: total ?? ok + failed + cancelled, ok, failed, cancelled, sealed };
  const nothing = { durations: new Sketch(), ranMs: 0, workers: new Workers(), failures: [] };
  const statistics = published
    ? { ...published, ledger, at }
    : statisticsOf(ledger, { startedAt: createdAt, at, ...nothing });
  return { task, runId, place, cause, missing: missingOf(run, published), statistics };
}

/** A run that another process collects. */
export function liveOf(run: Known, about: About): LiveRun {
  const { place, isCancelling, rate, hasInputs } = about;
  const { total } = run;
  const report = reportOfKnown(run, place, about.statistics);
  const { ok, failed, cancelled } = report.statistics.ledger;
  const { state, isSealed } = listedOf(run, isCancelling);
  const done = ok + failed + cancelled;
  const goesOn = state === 'running' || state === 'paused';
  const isRunning = state === 'running' && rate !== undefined && rate > 0;
  return {
    report: packed(report),
    ...{ state, because: reasonOf(run), inputs: total, isSealed },
    rate: state === 'running' ? rate : undefined,
    etaMs: isRunning && total !== undefined ? ((total - done) / rate) * 1000 : undefined,
    ...costSoFar(run.cost, done, total),
    knobs: isEnded(run) ? {} : { concurrency: run.concurrency ?? null, rate: run.rate ?? null },
    limit: goesOn && !isEnded(run) ? limitOfStatus(run, ok + failed, about) : undefined,
    can: [
      ...(goesOn ? (['cancel', 'pause', 'set'] as const) : []),
      ...(hasInputs ? (['inputs'] as const) : []),
    ],
  };
}

function limitOfStatus(run: RunStatus, done: number, { backlog }: About): string | undefined {
  const { total, collector, waiting } = run;
  const isSealed = run.state === 'sealed';
  if (collector === undefined && run.output === undefined && waiting > 0) {
    return 'No command collects its results: `fanfold collect` does.';
  }
  return limitOf({ settings: run, backlog, left: (total ?? 0) - done, isSealed });
}

/** Sentences about what is not known here. */
function missingOf(run: Known, statistics: Statistics | undefined): string[] {
  const missing = statistics ? [] : [whyNothing(run)];
  const untimed = statistics && untimedOf(statistics);
  if (untimed) missing.push(untimed);
  if (isEnded(run)) {
    if (run.elsewhere > 0) {
      missing.push(`Commands before its last collector have collected ${run.elsewhere} results.`);
    }
    return missing;
  }
  if (run.collectedAt !== undefined) missing.push(LATE);
  return missing;
}

const LATE =
  'The numbers are those of its collector, which publishes them every 5 s on a server, and every 30 s on a stack.';

/** Why there are no charts. */
function whyNothing(run: Known): string {
  const isStored = run.output !== undefined;
  if (isEnded(run)) {
    return isStored
      ? 'Charts, durations, workers and failures are not known: its collector kept none.'
      : 'Charts, durations, workers and failures are not known: it took less than 5 s, or its collector could not publish them. `fanfold run --report` keeps them.';
  }
  if (isStored) return 'Charts come with the first results that are stored: within a minute.';
  return run.collectedAt === undefined
    ? 'There are no charts, since no command collects its results. `fanfold collect` does.'
    : 'Charts come once its collector has published statistics: 5 s after its first result. If none come, it may not write to the bucket of its deployment: `fanfold run --ui` shows them where the run is collected.';
}

/** Results whose times are not known, as those of an earlier command. */
function untimedOf({ ledger, workers }: Statistics): string | undefined {
  const timed = workers.reduce((sum, worker) => sum + worker.ok + worker.failed, 0);
  const others = ledger.ok + ledger.failed - timed;
  if (others <= 0) return undefined;
  return `Charts, durations and workers are those of ${count(timed, 'result')}: of ${count(others, 'other')} no times are known.`;
}

/** Why it is paused or ended early, as a sentence. */
function reasonOf(run: Known): string | undefined {
  if (isEnded(run)) return run.cause === undefined ? undefined : `It ended early: ${run.cause}.`;
  const { pausedAt, outage } = run;
  if (pausedAt !== undefined) return `It was paused at ${new Date(pausedAt).toISOString()}.`;
  return outage && `It has paused itself: ${outage.reason}.`;
}
