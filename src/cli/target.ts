import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { connect, type Fanfold, FanfoldError } from '../index.ts';
import { canRedraw, printAbove } from './live-line.ts';
import { say } from './log.ts';
import { isPiped } from './output.ts';
import { findTasksModule } from './tasks-module.ts';

/** What says where tasks run that are deployed or served. */
export interface RemoteFlags {
  stack?: string;
  endpoint?: string;
}

/** What says where tasks run. */
export interface PlaceFlags extends RemoteFlags {
  tasks?: string;
  workers?: string;
  quiet?: boolean;
  /** Destination of the results: it decides whether there is a live line. */
  output?: string;
}

/** Where tasks run. */
export interface Place {
  fanfold: Fanfold;
  /** How many workers there are, where they are ours. */
  workers: number | undefined;
  /** As it stands in a run's record. */
  name: string;
}

export function addRemoteOptions(command: Command): Command {
  return command
    .option('--stack <name>', 'use the stack with this name on AWS')
    .option(
      '--endpoint <url>',
      'use the `fanfold serve` at this address, such as http://127.0.0.1:9324',
    );
}

/** A deployment that is elsewhere. @throws FanfoldError when none is named, or two are */
export async function remotePlace(flags: RemoteFlags): Promise<Place> {
  const named = joined(flags);
  if (!isRemote(named)) {
    throw new FanfoldError(
      'BadOption',
      'Say where the run is: --stack NAME, --endpoint URL, or FANFOLD_JOIN. A local run ends with its command.',
    );
  }
  const place = await openPlace(named);
  try {
    // Where there is no such deployment there are no runs, which would say nothing of a wrong name.
    await place.fanfold.backlog();
  } catch (error) {
    await place.fanfold.close();
    throw error;
  }
  return place;
}

/** Opens the place that the flags say: this machine's worker processes, unless it is elsewhere. */
export async function openPlace(given: PlaceFlags): Promise<Place> {
  const flags = joined(given);
  const { stack, endpoint, tasks, quiet } = flags;
  if (isRemote(flags)) {
    checkRemote(flags);
    const place = stack === undefined ? { endpoint: endpoint ?? '' } : { stack };
    const name = stack === undefined ? `endpoint ${endpoint}` : `stack ${stack}`;
    return { fanfold: await connect(place), workers: undefined, name };
  }
  const workers = workersOf(flags.workers);
  const module = findTasksModule(tasks);
  const onWarning = (message: string) => say(message);
  const onPrint = !quiet && canRedraw() && !isPiped(given.output) ? printAbove : undefined;
  const fanfold = await connect({ tasks: module.path, workers, onWarning, onPrint });
  if (module.shipped && !quiet) {
    say(`no tasks module is named; the built-in tasks are ${fanfold.tasks?.join(', ')}`);
  }
  return { fanfold, workers, name: 'local' };
}

/** The refusal of a run that is not at a place. */
export function unknownRun(runId: string, { name }: Place): FanfoldError {
  return new FanfoldError(
    'UnknownRun',
    `There is no run ${runId} on ${name}: it has ended, or never existed.`,
  );
}

/** The server that FANFOLD_JOIN names, where the command line says nothing of a place. */
function joined<Flags extends PlaceFlags>(flags: Flags): Flags {
  const { stack, endpoint, tasks, workers } = flags;
  const join = process.env.FANFOLD_JOIN;
  if (!join || [stack, endpoint, tasks, workers].some((flag) => flag !== undefined)) return flags;
  // What is no URL is refused by whoever reads the rest of it.
  return { ...flags, endpoint: URL.canParse(join) ? new URL(join).origin : 'http://joined' };
}

function isRemote({ stack, endpoint }: RemoteFlags): boolean {
  return stack !== undefined || endpoint !== undefined;
}

function checkRemote({ stack, endpoint, tasks, workers }: PlaceFlags): void {
  if (stack !== undefined && endpoint !== undefined) {
    throw new FanfoldError('BadOption', '--stack and --endpoint name two places: leave one out.');
  }
  const given = tasks === undefined ? (workers === undefined ? undefined : '--workers') : '--tasks';
  if (given === undefined) return;
  const there = stack === undefined ? '--endpoint' : '--stack';
  throw new FanfoldError(
    'BadOption',
    `${given} is for runs on this machine; with ${there}, the tasks and workers are those of that place. Leave one of them out.`,
  );
}

/** @throws FanfoldError `BadOption` */
export function workersOf(given: string | undefined): number {
  if (given === undefined) return availableParallelism();
  const workers = Number(given);
  if (/^\d+$/.test(given) && workers >= 1 && workers <= 1000) return workers;
  throw new FanfoldError(
    'BadOption',
    `--workers is a whole number from 1 to 1000; "${given}" is not.`,
  );
}
