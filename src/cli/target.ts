import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { connect, type Fanfold, FanfoldError, type RunStatus } from '../index.ts';
import { readAsIf } from '../internal.ts';
import { say } from './log.ts';
import type { LogLevel } from './log-level.ts';
import { pricesIn } from './prices.ts';
import { TaskLog } from './task-log.ts';
import { findTasksModule } from './tasks-module.ts';

/** The flags that name a deployment elsewhere. */
export interface RemoteFlags {
  stack?: string;
  endpoint?: string;
  /** File of prices, of the commands that show costs. */
  prices?: string;
}

/** The flags that say where tasks run. */
export interface TargetFlags extends RemoteFlags {
  tasks?: string;
  workers?: string;
  quiet?: boolean;
  /** A limit of a run's cost, and whether it pauses there. */
  maxCost?: string;
  pauseAtCost?: boolean;
  /** The stack as if on which a run on this machine is metered. */
  asIf?: string;
  /** Least important lines of tasks to print. @default info; with `quiet`, error */
  logLevel?: LogLevel;
}

/** Where tasks run. */
export type Target =
  /** `isBuiltIn` is true if its tasks are the built-in ones, because none are named. */
  | { kind: 'local'; workers: number; isBuiltIn: boolean }
  | { kind: 'stack'; stack: string }
  | { kind: 'server'; url: string };

/** A target, and the connection to it. */
export interface Connection {
  fanfold: Fanfold;
  target: Target;
  /** The log of tasks that run on this machine. Close it after `fanfold`, which has its last lines. */
  taskLog?: TaskLog;
}

/** A target as messages and a run's record name it. */
export function nameOf(target: Target): string {
  switch (target.kind) {
    case 'local':
      return 'local';
    case 'stack':
      return `stack ${target.stack}`;
    case 'server':
      return `endpoint ${target.url}`;
  }
}

/** The flags that name a target. */
export function flagsOf(target: Target): string[] {
  switch (target.kind) {
    case 'local':
      return [];
    case 'stack':
      return ['--stack', target.stack];
    case 'server':
      return ['--endpoint', target.url];
  }
}

export function addRemoteOptions(command: Command): Command {
  return command
    .option('--stack <name>', 'use the stack with this name on AWS')
    .option(
      '--endpoint <url>',
      'use the `fanfold serve` at this address, such as http://127.0.0.1:9324',
    );
}

/** Connects to a deployment elsewhere. @throws FanfoldError when none is named, or two are */
export async function connectRemote(flags: RemoteFlags): Promise<Connection> {
  const connection = await connectPlace(flags);
  try {
    // A deployment that does not exist has no runs either, which would hide a wrong name.
    await connection.fanfold.backlog();
  } catch (error) {
    await connection.fanfold.close();
    throw error;
  }
  return connection;
}

/** Like `connectRemote`, also for what is left of a stack that no longer exists. */
export async function connectPlace(flags: RemoteFlags): Promise<Connection> {
  const named = joined(flags);
  if (!isRemote(named)) {
    throw new FanfoldError(
      'BadOption',
      'Name the place of the run: --stack NAME, --endpoint URL, or FANFOLD_JOIN. A local run ends with its command.',
    );
  }
  return connectTarget(named);
}

/** Connects to the target that the flags name; worker processes on this machine, if they name none. */
export async function connectTarget(given: TargetFlags): Promise<Connection> {
  const flags = joined(given);
  const { stack, endpoint, tasks, quiet, logLevel = quiet ? 'error' : 'info' } = flags;
  const prices = pricesIn(flags.prices);
  const asIf = flags.asIf === undefined ? undefined : readAsIf(flags.asIf, '--as-if');
  checkCost(flags, isRemote(flags));
  if (isRemote(flags)) {
    checkRemote(flags);
    if (stack !== undefined) {
      return { fanfold: await connect({ stack, prices }), target: { kind: 'stack', stack } };
    }
    const url = endpoint ?? '';
    return { fanfold: await connect({ endpoint: url }), target: { kind: 'server', url } };
  }
  const workers = workersOf(flags.workers);
  const module = findTasksModule(tasks);
  const onWarning = (message: string) => say(message);
  const taskLog = new TaskLog(logLevel);
  const { onLog } = taskLog;
  const fanfold = await connect({ tasks: module.path, workers, onWarning, onLog, prices, asIf });
  return { fanfold, target: { kind: 'local', workers, isBuiltIn: module.shipped }, taskLog };
}

/**
 * The refusal of a run that a target does not have.
 *
 * @param other why else it may not be there
 */
export function unknownRun(runId: string, target: Target, other?: string): FanfoldError {
  const why = other === undefined ? 'or never existed' : `never existed, or ${other}`;
  return new FanfoldError(
    'UnknownRun',
    `There is no run ${runId} on ${nameOf(target)}: it has ended, ${why}.`,
  );
}

/** A run's status. @throws FanfoldError when the target does not have it */
export async function statusOf({ fanfold, target }: Connection, runId: string): Promise<RunStatus> {
  const status = await fanfold.status(runId);
  if (status === undefined) throw unknownRun(runId, target);
  return status;
}

/** Adds the server that FANFOLD_JOIN names, if the command line names no target. */
function joined<Flags extends TargetFlags>(flags: Flags): Flags {
  const { stack, endpoint, tasks, workers } = flags;
  const join = process.env.FANFOLD_JOIN;
  if (join === undefined || [stack, endpoint, tasks, workers].some((flag) => flag !== undefined))
    return flags;
  if (join === '') {
    throw new FanfoldError(
      'BadOption',
      'FANFOLD_JOIN is empty: set it to the whole line that `fanfold serve` prints, or unset it to run on this machine.',
    );
  }
  // Reading the join refuses a malformed one later.
  return { ...flags, endpoint: URL.canParse(join) ? new URL(join).origin : 'http://joined' };
}

/** @throws FanfoldError `BadOption` for flags of costs where there are none */
function checkCost(
  { stack, prices, maxCost, pauseAtCost, asIf }: TargetFlags,
  isElsewhere: boolean,
): void {
  const refuse = (why: string) => {
    throw new FanfoldError('BadOption', why);
  };
  if (asIf !== undefined && isElsewhere) {
    refuse('--as-if is for runs on this machine: leave it out.');
  }
  const flag = maxCost === undefined ? prices && '--prices' : '--max-cost';
  if (flag !== undefined && (stack ?? asIf) === undefined) {
    refuse(
      `${flag} is for runs that are metered: on a stack, with --stack NAME, or on this machine as if on one, with --as-if memory=1024. Give one of them, or leave it out.`,
    );
  }
  if (pauseAtCost && asIf !== undefined) {
    refuse(
      '--pause-at-cost is for runs on a stack: no other command can let a run on this machine go on. Leave it out, and --resume runs the inputs that were cancelled.',
    );
  }
}

function isRemote({ stack, endpoint }: RemoteFlags): boolean {
  return stack !== undefined || endpoint !== undefined;
}

function checkRemote({ stack, endpoint, tasks, workers }: TargetFlags): void {
  if (stack !== undefined && endpoint !== undefined) {
    throw new FanfoldError('BadOption', '--stack and --endpoint each name a place: leave one out.');
  }
  const given = tasks === undefined ? (workers === undefined ? undefined : '--workers') : '--tasks';
  if (given === undefined) return;
  const there = stack === undefined ? '--endpoint' : '--stack';
  throw new FanfoldError(
    'BadOption',
    `${given} is for runs on this machine; ${there} uses the tasks and workers of that place. Leave one of them out.`,
  );
}

/** @throws FanfoldError `BadOption` */
export function workersOf(given: string | undefined): number {
  if (given === undefined) return availableParallelism();
  const workers = Number(given);
  if (/^\d+$/.test(given) && workers >= 1 && workers <= 1000) return workers;
  throw new FanfoldError(
    'BadOption',
    `--workers must be a whole number from 1 to 1000; got "${given}".`,
  );
}
