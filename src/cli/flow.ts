import type { Command } from 'commander';
import type {
  Bounds,
  FailingText,
  Priority,
  RateText,
  Run,
  RunOptions,
  RunSettings,
} from '../index.ts';
import {
  capacityWarning,
  checkBounds,
  checkFailing,
  checkPriority,
  costLimitOf,
  moneyText,
} from '../internal.ts';
import { commandLine } from './command-line.ts';
import { say } from './log.ts';
import { type Connection, flagsOf, nameOf, type Target } from './target.ts';

/** Flags with a run's share of the workers and of what its task calls. */
export interface FlowFlags {
  concurrency?: string;
  rate?: string;
  priority?: string;
  hedge?: boolean;
  pauseWhenFailing?: string;
  maxCost?: string;
  pauseAtCost?: boolean;
}

/** Adds them to a command. */
export function addFlowOptions(command: Command): Command {
  return command
    .option(
      '--concurrency <n>',
      "run at most this many inputs at once, over all workers (default: the task's runConcurrency, or no bound)",
    )
    .option(
      '--rate <rate>',
      'start at most this many attempts, over all workers, such as 100/s, 20/m or 5/h (default: no bound)',
    )
    .option(
      '--pause-when-failing <share/time>',
      'pause the run when such a share of its inputs fails within a time, as 50%/1m, and try single inputs until they succeed (default: never)',
    )
    .option(
      '--max-cost <usd>',
      'cancel the run before it costs more than this, as metered, such as 5 or 0.5 (default: no limit)',
    )
    .option('--pause-at-cost', 'with --max-cost: pause the run instead, until the limit is higher')
    .option(
      '--priority <priority>',
      'high, normal or low: its share of the workers while other runs wait for them, too (default: normal)',
    )
    .option(
      '--hedge',
      'run slow inputs a second time at the end; the first result wins. The task must be idempotent',
    );
}

/** @throws FanfoldError `BadOption` that names the flag */
export function flowOptionsOf({
  concurrency,
  rate,
  priority,
  hedge,
  pauseWhenFailing,
  maxCost,
  pauseAtCost,
}: FlowFlags): Pick<
  RunOptions,
  'concurrency' | 'rate' | 'priority' | 'hedge' | 'pauseWhenFailing' | 'maxCost' | 'pauseAtCost'
> {
  checkPriority(priority, '--priority');
  checkFailing(pauseWhenFailing, '--pause-when-failing');
  return {
    ...boundsOf({ concurrency, rate }),
    priority: priority as Priority | undefined,
    hedge,
    pauseWhenFailing: pauseWhenFailing as FailingText | undefined,
    maxCost: maxCostOf(maxCost, pauseAtCost),
    pauseAtCost,
  };
}

/** @throws FanfoldError `BadOption` that names the flag */
export function maxCostOf(given: string | undefined, pauseAtCost?: boolean): number | undefined {
  const isNumber = given !== undefined && /^-?\d*\.?\d+$/.test(given);
  const maxCost = isNumber ? Number(given) : given;
  const named = { maxCost: '--max-cost', pauseAtCost: '--pause-at-cost' };
  return costLimitOf({ maxCost, pauseAtCost }, named)?.usd;
}

/** @throws FanfoldError `BadOption` that names the flag */
export function boundsOf(flags: { [Flag in keyof Bounds]: string | undefined }): Bounds {
  const { concurrency, rate } = flags;
  const isNumber = concurrency !== undefined && /^-?\d+(\.\d+)?$/.test(concurrency);
  const given = { concurrency: isNumber ? Number(concurrency) : concurrency, rate };
  checkBounds(given, { concurrency: '--concurrency', rate: '--rate' });
  return given as { concurrency: number | undefined; rate: RateText | undefined };
}

/** Bounds in words, such as `at most 8 at once and 100/s`; undefined without any. */
export function boundsText({ concurrency, rate }: Bounds): string | undefined {
  const bounds = [...(concurrency === undefined ? [] : [`${concurrency} at once`]), rate];
  const given = bounds.filter((bound) => bound !== undefined);
  return given.length === 0 ? undefined : `at most ${given.join(' and ')}`;
}

/** Warns of a concurrency that the workers of a place do not reach. */
export async function warnAboveCapacity(
  { fanfold, target }: Connection,
  task: string,
  concurrency: number | null | undefined,
  { quiet = false }: { quiet?: boolean | undefined } = {},
): Promise<void> {
  if (concurrency === undefined || concurrency === null) return;
  // A deployment of an older version can't say: it refuses bounds itself.
  const capacity = await fanfold.capacity(task).catch(() => undefined);
  const place = target.kind === 'local' ? ' here' : ` at ${nameOf(target)}`;
  const about = { task, place, capacity };
  const warning = capacityWarning(`--concurrency ${concurrency}`, concurrency, about);
  if (quiet || warning === undefined) return;
  const canGrow = target.kind === 'server' && capacity !== 0;
  say(`warning: ${warning}${canGrow ? ' Workers that join raise this.' : ''}`);
}

/** An outage in words. */
export function outageText({ reason }: NonNullable<RunSettings['outage']>): string {
  return `paused itself: ${reason}; it tries single inputs until they succeed`;
}

/** The command that ends a pause; nothing for a run that no command can reach. */
function orUnpause({ runId }: Run, target: Target, purpose: string): string {
  if (target.kind === 'local') return '';
  return `; ${purpose}: ${unpauseLine({ runId }, target)}`;
}

function unpauseLine({ runId }: Pick<Run, 'runId'>, target: Target): string {
  return commandLine(['unpause', runId, ...flagsOf(target)]);
}

/** Why a run has stopped at its cost limit; undefined if it has not. */
export function limitText({ costLimit }: Pick<RunSettings, 'costLimit'>): string | undefined {
  if (costLimit?.reachedUsd === undefined) return undefined;
  const { usd, reachedUsd } = costLimit;
  return `it reached its cost limit of ${moneyText(usd)}, with ${moneyText(reachedUsd)} metered`;
}

/** Interval at which a run's settings are looked at, in milliseconds: no call is made. */
const LOOK_MS = 250;

/** Reports what others set for a run elsewhere, until it is stopped. */
export function reportSettings(run: Run, target: Target): { stop(): void } {
  let before = run.settings;
  const timer = setInterval(() => {
    const now = run.settings;
    const { pausedAt, outage, expiresAt } = now;
    if (pausedAt !== before.pausedAt) {
      const atLimit = pausedAt && limitText(now);
      const higher = target.kind === 'local' ? '' : `: ${unpauseLine(run, target)} --max-cost USD`;
      if (pausedAt === undefined) say(`run ${run.runId} goes on`);
      else if (atLimit) {
        say(
          `run ${run.runId} is paused: ${atLimit}; to let it go on, give a higher limit${higher}`,
        );
      } else say(`run ${run.runId} is paused${orUnpause(run, target, 'to let it go on')}`);
    }
    if (outage?.since !== before.outage?.since) {
      if (outage === undefined) say(`run ${run.runId} goes on`);
      else
        say(
          `run ${run.runId} ${outageText(outage)}${orUnpause(run, target, 'to let it go on before')}`,
        );
    }
    if (expiresAt !== before.expiresAt && expiresAt !== undefined) {
      say(`the deadline of run ${run.runId} is now ${new Date(expiresAt).toISOString()}`);
    }
    const bounds = boundsText(now);
    if (bounds !== boundsText(before)) say(`run ${run.runId} now has ${bounds ?? 'no bounds'}`);
    before = now;
  }, LOOK_MS);
  return { stop: () => clearInterval(timer) };
}
