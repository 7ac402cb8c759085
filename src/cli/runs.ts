import type { Command } from 'commander';
import type { RunStatus } from '../index.ts';
import { isOver } from '../internal.ts';
import { STATUS } from './exit.ts';
import { count, print, printJson, say } from './log.ts';
import { factsOf, jsonOf, rowOf } from './run-facts.ts';
import { untilSignal } from './signals.ts';
import {
  addRemoteOptions,
  type Connection,
  connectRemote,
  nameOf,
  type RemoteFlags,
  unknownRun,
} from './target.ts';
import { canRedrawOutput, redrawn, watch } from './watch.ts';

interface RunsFlags extends RemoteFlags {
  prune?: boolean;
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

async function runs({ prune, json, ...flags }: RunsFlags): Promise<void> {
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
