import type { Backlog } from '../pipeline/run/backlog.ts';
import type { EndedRun } from '../pipeline/run/ended.ts';
import { isOver, type RunStatus } from '../pipeline/run/status.ts';
import { packed } from '../report/report-data.ts';
import { Sketch } from '../report/sketch.ts';
import { statisticsOf } from '../report/statistics.ts';
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

/** A run of which only its ledger is known here. */
export function liveOf(run: Known, about: About): LiveRun {
  const { place, isCancelling, rate, hasInputs } = about;
  const { runId, task, createdAt, total, ok, failed, readAt } = run;
  const { state, cancelled, isSealed } = listedOf(run, isCancelling);
  const cause = isEnded(run) ? run.cause : undefined;
  const done = ok + failed + cancelled;
  const goesOn = state === 'running' || state === 'paused';
  const isRunning = state === 'running' && rate !== undefined && rate > 0;
  const statistics = statisticsOf(
    { inputs: total ?? done, ok, failed, cancelled, sealed: isSealed },
    {
      ...{ startedAt: createdAt, at: isEnded(run) ? run.endedAt : readAt, ranMs: 0 },
      ...{ durations: new Sketch(), workers: new Workers(), failures: [] },
    },
  );
  return {
    report: packed({ task, runId, place, cause, missing: missingOf(run), statistics }),
    ...{ state, because: reasonOf(run), inputs: total, isSealed },
    rate: state === 'running' ? rate : undefined,
    etaMs: isRunning && total !== undefined ? ((total - done) / rate) * 1000 : undefined,
    ...costSoFar(run.cost, done, total),
    knobs: isEnded(run) ? {} : { concurrency: run.concurrency ?? null, rate: run.rate ?? null },
    limit: goesOn && !isEnded(run) ? limitOfStatus(run, about) : undefined,
    can: [
      ...(goesOn ? (['cancel', 'pause', 'set'] as const) : []),
      ...(hasInputs ? (['inputs'] as const) : []),
    ],
  };
}

function limitOfStatus(run: RunStatus, { backlog }: About): string | undefined {
  const { ok, failed, total, collector, waiting } = run;
  const isSealed = run.state === 'sealed';
  if (collector === undefined && run.output === undefined && waiting > 0) {
    return 'No command collects its results: `fanfold collect` does.';
  }
  return limitOf({ settings: run, backlog, left: (total ?? 0) - ok - failed, isSealed });
}

/** Sentences about what is not known here. */
function missingOf(run: Known): string[] {
  const missing = [
    'Charts, durations, workers and failures are known where the run is collected: see `fanfold run --ui` and `--report`.',
  ];
  if (isEnded(run)) {
    if (run.elsewhere > 0) {
      missing.push(`Commands before its last collector have collected ${run.elsewhere} results.`);
    }
    return missing;
  }
  missing.push('The counts are those of its collector, which publishes them every 30 s.');
  return missing;
}

/** Why it is paused or ended early, as a sentence. */
function reasonOf(run: Known): string | undefined {
  if (isEnded(run)) return run.cause === undefined ? undefined : `It ended early: ${run.cause}.`;
  const { pausedAt, outage } = run;
  if (pausedAt !== undefined) return `It was paused at ${new Date(pausedAt).toISOString()}.`;
  return outage && `It has paused itself: ${outage.reason}.`;
}
