import { serviceNow } from '../../clock.ts';
import { FanfoldError } from '../../errors.ts';
import { type CallOptions, CHECKED, checkOptions, FLAG } from '../../options.ts';
import { moneyText } from '../../planning/money.ts';
import { isMissingQueue } from '../call-errors.ts';
import { type CostLimit, costLimitOf } from '../messages/cost-limit.ts';
import { type Bounds, checkBounds, flowOf, replacing } from '../messages/flow.ts';
import type { RateText } from '../messages/rate.ts';
import { createdAt, MAX_DEADLINE_SECONDS, type Names } from '../names.ts';
import type { Deployment } from '../run/deployment.ts';
import { findExpectedQueue } from '../run/queues.ts';
import { type RunSettings, settingsOf } from '../run/settings.ts';
import { checkRunId, isOver, statusFrom } from '../run/status.ts';
import { type RunTags, readTags, writeTags } from '../run/tags.ts';
import { describeSeed } from './invoke-seed.ts';

// What an operator sets while a run goes on becomes tags of its queue. Workers and the collector
// read them now and then: on a server every second; on AWS, which allows 30 calls a second for
// tags, every 10 s up to 100 workers, and later with more.

/** Changes of a run's bounds. A bound that is left out stays as it is. */
export interface RunChanges {
  /** Most inputs that execute at once: 1 to 100000; `null` removes the bound. */
  concurrency?: number | null | undefined;
  /** Most attempts that start, such as `100/s`, `20/m` or `5/h`; `null` removes the bound. */
  rate?: RateText | null | undefined;
  /**
   * Most that the run may cost, in US dollars; `null` removes the limit. A run that has paused at its
   * limit goes on.
   */
  maxCost?: number | null | undefined;
}

/** Options of `unpause`. */
export interface UnpauseOptions {
  /**
   * Whether the run's deadline moves by the time for which it was paused, to at most 13 days after
   * the run began.
   * @default false
   */
  extendDeadline?: boolean | undefined;
  /** A new limit of what the run may cost, in US dollars. @default it stays */
  maxCost?: number | undefined;
}

const SET: CallOptions = {
  call: 'set()',
  kinds: { concurrency: CHECKED, rate: CHECKED, maxCost: CHECKED },
};
const UNPAUSE: CallOptions = {
  call: 'unpause()',
  kinds: { extendDeadline: FLAG, maxCost: CHECKED },
};

/** Longer than the id of any run. */
const MAX_ID_LENGTH = 128;

/** Where a run is. */
type Place = Pick<Deployment, 'sqs' | 'names'>;

/** How a run that is resumed is set again. */
interface SetAgain {
  /** Whether a run that has paused itself does not go on by that. @default false */
  keepsOutage?: boolean;
  /** Whether it pauses at a new limit of its cost. @default as before */
  pauseAtCost?: boolean | undefined;
}

/** @throws FanfoldError `BadOption` when a bound is out of range, or none is given */
function checkChanges(changes: RunChanges): void {
  checkOptions(SET, changes);
  const { concurrency, rate, maxCost } = changes;
  if (concurrency === undefined && rate === undefined && maxCost === undefined) {
    throw new FanfoldError(
      'BadOption',
      'There is nothing to set: give `concurrency`, `rate` or `maxCost`; null removes a bound.',
    );
  }
  costLimitOf({ maxCost: maxCost ?? undefined });
  checkBounds({ concurrency: concurrency ?? undefined, rate: rate ?? undefined });
}

/**
 * Changes the bounds of a run while it goes on. Returns what holds then. A run that has paused
 * itself goes on.
 *
 * @throws FanfoldError `BadOption` for wrong values and for a run that is over, `UnknownRun`
 */
export async function setRun(
  deployment: Pick<Deployment, 'sqs' | 'lambda' | 'names'>,
  runId: string,
  changes: RunChanges,
  { keepsOutage = false, pauseAtCost }: SetAgain = {},
): Promise<RunSettings> {
  checkChanges(changes);
  const run = await openRun(deployment, runId);
  const limited = withLimit(run, changes.maxCost, pauseAtCost);
  const going = { ...limited, ...(keepsOutage ? {} : withoutOutage(run)) };
  if (changes.concurrency === undefined && changes.rate === undefined) {
    return write(deployment, run, going);
  }
  const present = settingsOf(run.tags);
  const { concurrency = present.concurrency, rate = present.rate } = changes;
  const bounds: Bounds = { concurrency: concurrency ?? undefined, rate: rate ?? undefined };
  const { lambda, names } = deployment;
  const { tasks, workers, live = workers } = await describeSeed(lambda, names);
  const each = widthIn(run.tags) ?? tasks.find(({ name }) => name === run.tags.task)?.concurrency;
  const next = flowOf(bounds, Math.max(1, live), each ?? 1);
  const flow = replacing(run.tags.flow, next, serviceNow(deployment.sqs));
  return write(deployment, run, { flow, ...going });
}

/**
 * Pauses a run: no further input starts. Inputs that are running end. The deadline stays.
 *
 * @throws FanfoldError `BadOption` for a run that is over, `UnknownRun`
 */
export async function pauseRun(place: Place, runId: string): Promise<RunSettings> {
  const run = await openRun(place, runId);
  if (run.tags.pausedAt) return settingsOf(run.tags);
  return write(place, run, { pausedAt: serviceNow(place.sqs) });
}

/**
 * Lets a run go on that was paused or has paused itself.
 *
 * @throws FanfoldError `BadOption` for a run that is over, or whose deadline can't be moved so far;
 *   or that has paused at its cost limit, without a new one; `UnknownRun`
 */
export async function unpauseRun(
  place: Place,
  runId: string,
  options: UnpauseOptions = {},
): Promise<RunSettings> {
  checkOptions(UNPAUSE, options);
  const { extendDeadline = false, maxCost } = options;
  costLimitOf({ maxCost });
  const run = await openRun(place, runId);
  const limited = withLimit(run, maxCost);
  const { costLimit } = settingsOf({ ...run.tags, ...limited });
  if (costLimit?.reachedUsd !== undefined) throw reachedLimit(runId, costLimit);
  const { expiresAt } = run.tags;
  const { pausedAt, outage } = settingsOf(run.tags);
  const since = Math.min(...[pausedAt, outage?.since].filter((time) => time !== undefined));
  if (since === Number.POSITIVE_INFINITY) {
    return maxCost === undefined ? settingsOf(run.tags) : write(place, run, limited);
  }
  const goingOn = { ...limited, pausedAt: 0, ...withoutOutage(run) };
  if (!extendDeadline || expiresAt === undefined) return write(place, run, goingOn);
  const pausedMs = Math.max(0, serviceNow(place.sqs) - since);
  return write(place, run, { ...goingOn, expiresAt: extended(runId, expiresAt, pausedMs) });
}

/** The width of a run's lanes, which a new deployment of its task must not change. */
function widthIn({ flow }: RunTags): number | undefined {
  if (flow === undefined || flow === 'none' || flow.concurrency === undefined) return undefined;
  return flow.width ?? 1;
}

/** The tag that ends the outage of a run, if there is one. */
function withoutOutage({ tags }: OpenRun): Pick<RunTags, 'outage'> {
  return settingsOf(tags).outage === undefined ? {} : { outage: 'none' };
}

/** The tags of a new limit of a run's cost, if one is given. */
function withLimit(
  { tags }: OpenRun,
  maxCost: number | null | undefined,
  pauseAtCost?: boolean,
): Pick<RunTags, 'costLimit' | 'pausedAt'> {
  if (maxCost === undefined) return {};
  const before = settingsOf(tags).costLimit;
  const goesOn = before?.reachedUsd === undefined ? {} : { pausedAt: 0 };
  if (maxCost === null) return { costLimit: 'none', ...goesOn };
  return { costLimit: { usd: maxCost, pauses: pauseAtCost ?? before?.pauses ?? false }, ...goesOn };
}

function reachedLimit(runId: string, { usd, reachedUsd = 0 }: CostLimit): FanfoldError {
  const [limit, metered] = [usd, reachedUsd].map(moneyText);
  return new FanfoldError(
    'BadOption',
    `Run ${runId} has reached its cost limit of ${limit} (${metered} was metered): give a higher one, with --max-cost or \`maxCost\`, to let it go on.`,
  );
}

/** A deadline that is moved by some time. */
function extended(runId: string, expiresAt: number, byMs: number): number {
  const later = expiresAt + byMs;
  const latest = (createdAt(runId) ?? 0) + MAX_DEADLINE_SECONDS * 1000;
  if (later <= latest) return later;
  const [one, other] = [later, latest].map((time) => new Date(time).toISOString());
  throw new FanfoldError(
    'BadOption',
    `The deadline of run ${runId} can be at most ${other}, 13 days after the run began; extended by the time for which it was paused, it would be ${one}. Unpause the run without extending its deadline.`,
  );
}

/** A run that goes on. */
interface OpenRun {
  runId: string;
  queueUrl: string;
  tags: RunTags;
}

async function openRun({ sqs, names }: Place, runId: string): Promise<OpenRun> {
  // A run that reports to the shared queue may have another id.
  if (typeof runId !== 'string' || runId === '' || runId.length > MAX_ID_LENGTH) checkRunId(runId);
  const isRunId = createdAt(runId) !== undefined;
  const queueUrl = isRunId ? await findExpectedQueue(sqs, names.run(runId)) : undefined;
  if (queueUrl === undefined) throw noSettings(runId, names);
  const tags = await readTags(sqs, queueUrl).catch(unlessMissing(runId, names));
  if (isOver(statusFrom(runId, tags, serviceNow(sqs)))) {
    throw new FanfoldError('BadOption', `Run ${runId} is over: nothing in it can start any more.`);
  }
  return { runId, queueUrl, tags };
}

async function write(
  { sqs, names }: Place,
  { runId, queueUrl, tags }: OpenRun,
  changed: Pick<RunTags, 'flow' | 'pausedAt' | 'outage' | 'expiresAt' | 'costLimit'>,
): Promise<RunSettings> {
  await writeTags(sqs, queueUrl, changed).catch(unlessMissing(runId, names));
  return settingsOf({ ...tags, ...changed });
}

function unlessMissing(runId: string, names: Names): (error: unknown) => never {
  return (error) => {
    throw isMissingQueue(error) ? noSettings(runId, names) : error;
  };
}

function noSettings(runId: string, { name }: Names): FanfoldError {
  return new FanfoldError(
    'UnknownRun',
    `There is no run ${runId} on "${name}" whose settings can be changed: it has ended, or never existed, or it reports to the shared result queue and so has no settings of its own.`,
  );
}
