import type { EndedRun, RunStatus } from '../index.ts';
import { moneyText } from '../internal.ts';
import { boundsText, limitText, outageText } from './flow.ts';
import { count } from './log.ts';
import { costSoFar, costText } from './money.ts';
import { rateText } from './recent-rate.ts';

/** A run as `--json` prints it: every key is always there. docs/serve.md describes it. */
interface RunJson {
  runId: string;
  task: string;
  state: RunStatus['state'] | 'over' | 'ended';
  inputs: number | null;
  ok: number;
  failed: number;
  cancelled: number;
  elsewhere: number;
  done: number;
  concurrency: number | null;
  rate: string | null;
  paused: string | null;
  outage: string | null;
  outageSince: string | null;
  uncollectedMessages: number;
  collector: string | null;
  began: string | null;
  ended: string | null;
  cause: string | null;
  deadline: string | null;
  output: string | null;
  costUsd: number | null;
  maxCostUsd: number | null;
  countedAt: string | null;
  readAt: string | null;
}

export function jsonOf(run: RunStatus, isOver: boolean): RunJson {
  const { runId, task, state, total, ok, failed, waiting, collector } = run;
  const { createdAt, expiresAt, collectedAt, readAt, concurrency, rate, pausedAt, outage } = run;
  return {
    ...{ runId, task, state: isOver ? 'over' : state, inputs: total ?? null, ok, failed },
    ...{ cancelled: 0, elsewhere: 0, done: ok + failed },
    ...{ concurrency: concurrency ?? null, rate: rate ?? null, paused: timeOf(pausedAt) },
    ...{ outage: outage?.reason ?? null, outageSince: timeOf(outage?.since) },
    uncollectedMessages: waiting,
    collector: collector ?? null,
    began: timeOf(createdAt),
    ended: null,
    cause: null,
    deadline: timeOf(expiresAt),
    output: run.output ?? null,
    costUsd: run.cost?.usd ?? null,
    maxCostUsd: run.costLimit?.usd ?? null,
    countedAt: timeOf(collectedAt),
    readAt: timeOf(readAt),
  };
}

/** A run that has ended, with the same keys. */
export function jsonOfEnded(run: EndedRun): RunJson {
  const { runId, task, total, ok, failed, cancelled, elsewhere, cause, collector } = run;
  return {
    ...{ runId, task, state: 'ended', inputs: total ?? null, ok, failed, cancelled, elsewhere },
    ...{ done: ok + failed, concurrency: null, rate: null, paused: null },
    ...{ outage: null, outageSince: null },
    ...{ uncollectedMessages: 0, collector: collector ?? null },
    began: timeOf(run.createdAt),
    ended: timeOf(run.endedAt),
    cause: cause ?? null,
    ...{ deadline: null, output: run.output ?? null, costUsd: run.cost?.usd ?? null },
    ...{ maxCostUsd: null, countedAt: null, readAt: timeOf(run.readAt) },
  };
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

/** A run in one line of a list. */
export function rowOf(run: RunStatus): string {
  const { runId, task, state, pausedAt, outage } = run;
  const facts = [runId, task, state, doneOf(run), collectorOf(run)];
  if (pausedAt !== undefined) facts.push(`paused ${ago(run, pausedAt)}`);
  if (outage !== undefined) facts.push(`paused itself ${ago(run, outage.since)}`);
  return [...facts, boundsText(run), placeOf(run)].filter((fact) => fact !== undefined).join('  ');
}

/** A run that has ended in one line of a list. */
export function rowOfEnded(run: EndedRun): string {
  const place = placeOf(run);
  const row = `${run.runId}  ${run.task}  ended ${ago(run, run.endedAt)}, ${outcomeOf(run)}`;
  return place === undefined ? row : `${row}  ${place}`;
}

/** Place of the stored results; undefined if they are not stored. */
function placeOf({ output }: { output?: string | undefined }): string | undefined {
  return output === undefined ? undefined : `results in ${output}`;
}

/** The counts of a run that has ended, and why it ended early, if it did. */
export function outcomeOf({ ok, failed, cancelled, elsewhere, cause }: EndedRun): string {
  const counts = [`${number(ok)} ok`, `${number(failed)} failed`];
  if (cancelled > 0) counts.push(`${number(cancelled)} cancelled`);
  if (elsewhere > 0) counts.push(`${number(elsewhere)} collected before`);
  return `${counts.join(', ')}${cause === undefined ? '' : `: ${cause}`}`;
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}

/** The facts of a run that has ended, by their names. */
export function factsOfEnded(run: EndedRun): Record<string, string> {
  const { runId, task, createdAt, endedAt, total, collector } = run;
  return {
    run: runId,
    task,
    began: `${timeOf(createdAt)}, ${ago(run, createdAt)}`,
    ended: `${timeOf(endedAt)}, ${ago(run, endedAt)}`,
    inputs: total === undefined ? '?' : number(total),
    results: outcomeOf(run),
    collector: collector ?? 'no collector',
    ...(run.cost && { cost: costText(run.cost) }),
    ...storedOf(run),
  };
}

/** A run's facts by their names. */
export function factsOf(run: RunStatus): Record<string, string> {
  const { runId, task, createdAt, expiresAt, total, state, waiting, pausedAt, outage } = run;
  const { costLimit } = run;
  const why = limitText(run);
  const since = `since ${timeOf(pausedAt)}, ${ago(run, pausedAt ?? 0)}`;
  const paused = pausedAt && { paused: why ? `${since}: ${why}` : since };
  const limit = costLimit && {
    'cost limit': `${moneyText(costLimit.usd)}, at which it ${costLimit.pauses ? 'pauses' : 'is cancelled'}`,
  };
  const failing = outage && {
    outage: `${outageText(outage)}; since ${timeOf(outage.since)}, ${ago(run, outage.since)}`,
  };
  return {
    run: runId,
    task,
    began: `${timeOf(createdAt)}, ${ago(run, createdAt)}`,
    inputs: `${total ?? '?'}, ${state === 'sealed' ? 'all seeded' : 'not all seeded yet'}`,
    done: doneOf(run),
    rate: rateOf(run),
    bounds: boundsText(run) ?? 'none',
    ...paused,
    ...failing,
    collector: collectorOf(run),
    results: `${count(waiting, 'message')} not collected yet`,
    deadline: timeOf(expiresAt) ?? '?',
    ...costFactOf(run),
    ...limit,
    ...storedOf(run),
  };
}

/** Its cost, as of the collector's last heartbeat. */
function costFactOf({ cost, ok, failed, total }: RunStatus): Record<string, string> {
  if (cost === undefined) return {};
  return { cost: costSoFar(cost, { done: ok + failed, total }) ?? costText(cost) };
}

function storedOf({ output }: { output?: string | undefined }): Record<string, string> {
  return output === undefined ? {} : { 'stored in': output };
}

/** The counts are the collector's, which publishes them with its heartbeat. */
function doneOf(run: RunStatus): string {
  const { ok, failed, total, collectedAt } = run;
  const of = total === undefined ? '' : ` of ${total}`;
  if (collectedAt !== undefined && !isCounted(run)) return `?${of} done`;
  const done = `${ok + failed}${of} done (${ok} ok, ${failed} failed)`;
  if (collectedAt !== undefined) return `${done}, as of ${ago(run, collectedAt)}`;
  return ok + failed > 0 ? `${done}, as of when its collector left` : done;
}

/** Interval of a collector's heartbeats, in milliseconds. The first one has no results yet. */
const HEARTBEAT_MS = 30_000;

/** True if the counts are more than those of a collector that has just begun. */
function isCounted({ ok, failed, createdAt, collectedAt = 0 }: RunStatus): boolean {
  return ok + failed > 0 || collectedAt - createdAt >= HEARTBEAT_MS;
}

/** Average rate since the run began, as of the collector's last heartbeat. */
function rateOf(run: RunStatus): string {
  const { ok, failed, createdAt, collectedAt } = run;
  if (collectedAt === undefined || !isCounted(run)) return '?';
  const rate = (ok + failed) / Math.max(1, (collectedAt - createdAt) / 1000);
  return `${rateText(rate)} since it began`;
}

function collectorOf(run: RunStatus): string {
  const { collectedAt } = run;
  return collectedAt === undefined ? 'no collector' : `collector seen ${ago(run, collectedAt)}`;
}

/** Age by the clock that wrote the time, since this machine's clock may be wrong. */
function ago({ readAt }: Pick<RunStatus, 'readAt'>, time: number): string {
  const seconds = Math.max(0, Math.round((readAt - time) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7_200
    ? `${Math.round(seconds / 60)} min ago`
    : `${Math.round(seconds / 3_600)} h ago`;
}
