import type { Bounds, Priority, RateText, Run, RunOptions } from '../index.ts';
import { checkBounds, checkPriority } from '../internal.ts';
import { commandLine } from './command-line.ts';
import { count, say } from './log.ts';
import { type Connection, flagsOf, nameOf, type Target } from './target.ts';

/** Flags with a run's share of the workers and of what its task calls. */
export interface FlowFlags {
  concurrency?: string;
  rate?: string;
  priority?: string;
  hedge?: boolean;
}

/** @throws FanfoldError `BadOption` that names the flag */
export function flowOptionsOf({
  concurrency,
  rate,
  priority,
  hedge,
}: FlowFlags): Pick<RunOptions, 'concurrency' | 'rate' | 'priority' | 'hedge'> {
  checkPriority(priority, '--priority');
  return { ...boundsOf({ concurrency, rate }), priority: priority as Priority | undefined, hedge };
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
): Promise<void> {
  if (concurrency === undefined || concurrency === null) return;
  // A deployment of an older version can't say: it refuses bounds itself.
  const capacity = await fanfold.capacity(task).catch(() => undefined);
  if (capacity === undefined || concurrency <= capacity) return;
  const more = target.kind === 'server' ? ' Workers that join raise this.' : '';
  const place = target.kind === 'local' ? 'here' : `of ${nameOf(target)}`;
  say(
    `warning: --concurrency ${concurrency} is not reached: all workers ${place} together run ${count(capacity, 'input')} of ${task} at once.${more}`,
  );
}

/** Interval at which a run's settings are looked at, in milliseconds: no call is made. */
const LOOK_MS = 250;

/** Reports what others set for a run elsewhere, until it is stopped. */
export function reportSettings(run: Run, target: Target): { stop(): void } {
  let before = run.settings;
  const timer = setInterval(() => {
    const now = run.settings;
    const { pausedAt, expiresAt } = now;
    if (pausedAt !== before.pausedAt) {
      const line = commandLine(['unpause', run.runId, ...flagsOf(target)]);
      if (pausedAt === undefined) say(`run ${run.runId} goes on`);
      else say(`run ${run.runId} is paused; to let it go on: ${line}`);
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
