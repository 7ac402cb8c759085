import type { Command } from 'commander';
import { FanfoldError, type RunSettings } from '../index.ts';
import { moneyText } from '../internal.ts';
import { commandLine } from './command-line.ts';
import { boundsOf, boundsText, maxCostOf, warnAboveCapacity } from './flow.ts';
import { say } from './log.ts';
import { refusalOf } from './runs.ts';
import {
  addRemoteOptions,
  type Connection,
  connectRemote,
  flagsOf,
  type RemoteFlags,
  type Target,
} from './target.ts';

interface SetFlags extends RemoteFlags {
  concurrency?: string;
  rate?: string;
  maxCost?: string;
}

interface UnpauseFlags extends RemoteFlags {
  extendDeadline?: boolean;
  maxCost?: string;
}

/** `fanfold set`, `pause` and `unpause <run>`: change a run while it goes on. */
export function addSet(program: Command): void {
  const command = (name: string, description: string) =>
    addRemoteOptions(
      program.command(name).description(description).argument('<run>', 'the run id'),
    );
  command('set', 'change the bounds of a run while it goes on')
    .option('--concurrency <n>', 'run at most this many inputs at once, over all workers; or none')
    .option(
      '--rate <rate>',
      'start at most this many attempts, such as 100/s, 20/m or 5/h; or none',
    )
    .option(
      '--max-cost <usd>',
      'cancel or pause the run before it costs more than this, as --pause-at-cost of run said; or none',
    )
    .action(set);
  command('pause', 'start no further input of a run until `fanfold unpause`').action(pause);
  command('unpause', 'let a paused run go on')
    .option('--extend-deadline', 'move its deadline by the time for which it was paused')
    .option('--max-cost <usd>', 'a new limit of its cost, if it has paused at the one before')
    .action(unpause);
}

const NONE = 'none';

async function set(
  runId: string,
  { concurrency, rate, maxCost, ...flags }: SetFlags,
): Promise<void> {
  if (concurrency === undefined && rate === undefined && maxCost === undefined) {
    throw new FanfoldError(
      'BadOption',
      'There is nothing to set: give --concurrency N, --rate N/s or --max-cost USD; none removes a bound.',
    );
  }
  const given = boundsOf({
    concurrency: concurrency === NONE ? undefined : concurrency,
    rate: rate === NONE ? undefined : rate,
  });
  const changes = {
    concurrency: concurrency === NONE ? null : given.concurrency,
    rate: rate === NONE ? null : given.rate,
    maxCost: maxCost === NONE ? null : maxCostOf(maxCost),
  };
  const connection = await connectRemote(flags);
  await using fanfold = connection.fanfold;
  const settings = await changed(fanfold.set(runId, changes), runId, connection);
  const { costLimit } = settings;
  const limit = costLimit ? ` and a cost limit of ${moneyText(costLimit.usd)}` : '';
  const bounds = `${boundsText(settings) ?? 'no bounds'}${limit}`;
  say(`run ${runId} has ${bounds}, ${within(connection.target)}${ifPaused(settings)}`);
  // It may have ended by now.
  const status = changes.concurrency ? await fanfold.status(runId) : undefined;
  if (status) await warnAboveCapacity(connection, status.task, changes.concurrency);
}

async function pause(runId: string, flags: RemoteFlags): Promise<void> {
  const connection = await connectRemote(flags);
  await using fanfold = connection.fanfold;
  const { target } = connection;
  const before = await fanfold.status(runId);
  const { expiresAt } = await changed(fanfold.pause(runId), runId, connection);
  const isNew = before?.pausedAt === undefined;
  const state = isNew
    ? `is paused: ${within(target)} no further input starts, and those that are running end`
    : `is already paused, since ${timeOf(before?.pausedAt)}`;
  say(`run ${runId} ${state}`);
  const goOn = commandLine(['unpause', runId, ...flagsOf(target)]);
  say(
    `its deadline is still ${timeOf(expiresAt)}, and ends it even while it is paused; to let it go on before: ${goOn}`,
  );
}

async function unpause(runId: string, flags: UnpauseFlags): Promise<void> {
  const { extendDeadline = false, maxCost: limit, ...remote } = flags;
  const maxCost = maxCostOf(limit);
  const connection = await connectRemote(remote);
  await using fanfold = connection.fanfold;
  const before = await fanfold.status(runId);
  const changes = fanfold.unpause(runId, { extendDeadline, maxCost });
  const { expiresAt } = await changed(changes, runId, connection);
  if (before?.pausedAt === undefined && before?.outage === undefined) {
    say(`run ${runId} was not paused: nothing was changed`);
    return;
  }
  const deadline = extendDeadline ? 'is now' : 'is still';
  say(
    `run ${runId} goes on, ${within(connection.target)}; its deadline ${deadline} ${timeOf(expiresAt)}`,
  );
}

/** Makes a change, and returns the settings after it. @throws FanfoldError that names the place, if it has no such run */
function changed(
  change: Promise<RunSettings>,
  runId: string,
  connection: Connection,
): Promise<RunSettings> {
  const other = 'it reports to the shared result queue and so has no settings of its own';
  return change.catch(async (error: unknown) => {
    throw await refusalOf(error, runId, connection, { change: 'change', other });
  });
}

/** When workers follow what was set. */
function within({ kind }: Target): string {
  return kind === 'stack' ? 'within 15 s, or later with more than 100 workers' : 'within 2 s';
}

function ifPaused({ pausedAt }: RunSettings): string {
  return pausedAt === undefined ? '' : `; it is paused since ${timeOf(pausedAt)}`;
}

function timeOf(ms: number | undefined): string {
  return ms === undefined ? 'not known' : new Date(ms).toISOString();
}
