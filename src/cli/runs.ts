import type { Command } from 'commander';
import { FanfoldError, type RunStatus } from '../index.ts';
import { isOver } from '../internal.ts';
import { commandLine } from './command-line.ts';
import { STATUS } from './exit.ts';
import { count, print, printJson, say } from './log.ts';
import { factsOf, jsonOf, rowOf } from './run-facts.ts';
import { untilSignal } from './signals.ts';
import {
  addRemoteOptions,
  type Connection,
  connectPlace,
  connectRemote,
  flagsOf,
  nameOf,
  type RemoteFlags,
  unknownRun,
} from './target.ts';
import { canRedrawOutput, redrawn, watch } from './watch.ts';

interface RunsFlags extends RemoteFlags {
  prune?: boolean;
  all?: boolean;
  yes?: boolean;
  json?: boolean;
}

interface StatusFlags extends RemoteFlags {
  watch?: boolean;
  json?: boolean;
}

/** `fanfold runs` and `fanfold status <run>`: list a deployment's runs, and show one. */
export function addRuns(program: Command): void {
  addRemoteOptions(program.command('runs').description('list unfinished runs, oldest first'))
    .option('--json', 'print each run as a JSON object on its own line')
    .option('--prune', 'delete the queues of runs that have ended or passed their deadline')
    .option('--all', 'with --prune: delete the queues of all runs, before the stack is destroyed')
    .option('--yes', 'with --prune --all: do it, although results are lost')
    .action(runs);
  addRemoteOptions(
    program
      .command('status')
      .description('show the progress of a run')
      .argument('<run>', 'the run id'),
  )
    .option('--watch', 'show it again every 2 s, until the run has ended')
    .option('--json', 'print it as a JSON object on one line')
    .action((runId: string, flags: StatusFlags) =>
      untilSignal((signal) => status(runId, flags, signal)),
    );
}

async function runs({ prune, all, yes, json, ...flags }: RunsFlags): Promise<void> {
  if (all && !prune) {
    throw new FanfoldError(
      'BadOption',
      '--all is for --prune: `fanfold runs` lists all unfinished runs without it.',
    );
  }
  if (all) return pruneAll(flags, yes ?? false);
  const { fanfold, target } = await connectRemote(flags);
  await using _ = fanfold;
  if (prune) {
    const pruned = await fanfold.prune();
    for (const run of pruned) json ? printRun(run) : print(run.runId);
    say(
      `${count(pruned.length, 'run')} deleted from ${nameOf(target)}: they had ended or passed their deadline`,
    );
    return;
  }
  let listed = 0;
  for await (const run of fanfold.runs()) {
    listed++;
    if (json) printRun(run);
    else print(rowOf(run));
  }
  if (!json) say(`${listed === 0 ? 'no runs' : count(listed, 'run')} on ${nameOf(target)}`);
}

/** Deletes the queues of all runs. Without `isSure`, it only reports what would be lost. */
async function pruneAll(flags: RemoteFlags, isSure: boolean): Promise<void> {
  const { fanfold, target } = await connectPlace(flags);
  await using _ = fanfold;
  const place = nameOf(target);
  if (isSure) {
    const pruned = await fanfold.prune({ all: true });
    for (const { runId } of pruned) print(runId);
    say(`${count(pruned.length, 'run')} deleted from ${place}`);
    return;
  }
  const left = await Array.fromAsync(fanfold.runs());
  if (left.length === 0) {
    say(`no runs on ${place}: nothing to delete`);
    return;
  }
  for (const run of left) print(rowOf(run));
  const again = commandLine(['runs', '--prune', '--all', '--yes', ...flagsOf(target)]);
  throw new FanfoldError(
    'BadOption',
    `This deletes ${count(left.length, 'run')} of ${place}, also those that are not over, with all results that are not collected. To do it: ${again}`,
  );
}

function printRun(run: RunStatus): void {
  printJson(jsonOf(run, isOver(run)));
}

async function status(
  runId: string,
  { watch: isWatched, json, ...flags }: StatusFlags,
  signal: AbortSignal,
): Promise<number> {
  const connection = await connectRemote(flags);
  await using fanfold = connection.fanfold;
  const place = nameOf(connection.target);
  const run = await fanfold.status(runId);
  if (run === undefined) throw unknownRun(runId, connection.target);
  if (!isWatched) {
    if (json) printRun(run);
    else for (const line of await linesOf(run, connection)) print(line);
    return STATUS.ok;
  }
  const redraw = !json && canRedrawOutput() ? redrawn() : undefined;
  await watch({
    look: async () => {
      const now = await fanfold.status(runId);
      if (now === undefined) return undefined;
      return { now, lines: redraw ? await linesOf(now, connection) : [] };
    },
    show({ now, lines }) {
      if (json) printRun(now);
      else if (redraw) redraw(lines);
      else print(rowOf(now));
    },
    isLast: ({ now }) => isOver(now),
    ...{ place, signal },
  });
  say(`run ${runId} has ended`);
  return STATUS.ok;
}

async function linesOf(run: RunStatus, { fanfold, target }: Connection): Promise<string[]> {
  const { waiting, delayed, inFlight } = await fanfold.backlog();
  const facts = {
    ...factsOf(run),
    [nameOf(target)]:
      `of all runs: ${count(waiting, 'chunk')} waiting, ${delayed} delayed, ${inFlight} in progress`,
  };
  const width = Math.max(...Object.keys(facts).map((key) => key.length));
  return Object.entries(facts).map(([key, text]) => `${key.padEnd(width)}  ${text}`);
}
