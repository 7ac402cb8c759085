import type { Command } from 'commander';
import type { KnownRun } from '../index.ts';
import { DeploymentRuns, logsInsightsLink, serveUi } from '../internal.ts';
import { STATUS } from './exit.ts';
import { openBrowser } from './live/open-browser.ts';
import { say } from './log.ts';
import { addPrices } from './prices.ts';
import { refusalOf } from './runs.ts';
import { untilAborted, wholeNumber } from './serve.ts';
import { untilSignal } from './signals.ts';
import {
  addRemoteOptions,
  type Connection,
  connectRemote,
  nameOf,
  type RemoteFlags,
} from './target.ts';

interface UiFlags extends RemoteFlags {
  port?: string;
  open?: boolean;
}

/** Least time between two readings of the same, in milliseconds: they cost money on AWS. */
const EVERY_MS = { server: 1_000, stack: 5_000 };

/** `fanfold ui`: serves a page of a deployment's runs. */
export function addUi(program: Command): void {
  addPrices(
    addRemoteOptions(
      program
        .command('ui')
        .description('serve a live page of the runs of a stack or server, on this machine only'),
    ),
  )
    .option('--port <n>', 'the port of the page (default: any free port)')
    .option('--open', 'open the page in a browser')
    .action((flags: UiFlags) => untilSignal((signal) => ui(flags, signal)));
}

async function ui({ port, open, ...flags }: UiFlags, signal: AbortSignal): Promise<number> {
  const wanted = wholeNumber('--port', port, 65_535);
  const connection = await connectRemote(flags);
  await using _ = connection.fanfold;
  const served = await serveUi(runsOf(connection), { port: wanted });
  say(`live page of ${nameOf(connection.target)}, for one browser: ${served.address}`);
  if (open) await openBrowser(served.address);
  await untilAborted(signal);
  await served.close();
  return STATUS.ok;
}

function runsOf(connection: Connection): DeploymentRuns {
  const { fanfold, target } = connection;
  const explained = async <T>(runId: string, change: string, made: Promise<T>): Promise<T> =>
    made.catch(async (error: unknown) => {
      throw await refusalOf(error, runId, connection, { change });
    });
  const place = {
    runs: () => fanfold.runs(),
    endedRuns: () => fanfold.endedRuns(),
    status: (runId: string) => fanfold.status(runId),
    statistics: (run: KnownRun) => fanfold.statistics(run),
    result: (folder: string, index: number) => fanfold.result(folder, index),
    backlog: () => fanfold.backlog(),
    cancel: (runId: string) => explained(runId, 'cancel', fanfold.cancel(runId)),
    pause: (runId: string) => explained(runId, 'change', fanfold.pause(runId)),
    unpause: (runId: string) => explained(runId, 'change', fanfold.unpause(runId)),
    set: (...[runId, changes]: Parameters<typeof fanfold.set>) =>
      explained(runId, 'change', fanfold.set(runId, changes)),
  };
  const logLink =
    target.kind === 'stack'
      ? (runId: string, index: number) => logsInsightsLink(target.stack, runId, index)
      : undefined;
  const everyMs = EVERY_MS[target.kind === 'stack' ? 'stack' : 'server'];
  return new DeploymentRuns(place, { name: nameOf(target), everyMs, logLink });
}
