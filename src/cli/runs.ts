import type { Command } from 'commander';
import { type EndedRun, type Fanfold, FanfoldError, type RunStatus } from '../index.ts';
import { isOver } from '../internal.ts';
import { commandLine } from './command-line.ts';
import { STATUS } from './exit.ts';
import { count, print, printJson, say } from './log.ts';
import { addPrices } from './prices.ts';
import {
  factsOf,
  factsOfEnded,
  jsonOf,
  jsonOfEnded,
  outcomeOf,
  rowOf,
  rowOfEnded,
} from './run-facts.ts';
import { untilSignal } from './signals.ts';
import { hasReader } from './standard-output.ts';
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
  addPrices(
    addRemoteOptions(program.command('runs').description('list unfinished runs, oldest first')),
  )
    .option('--json', 'print each run as a JSON object on its own line')
    .option('--prune', 'delete the queues of runs that have ended or passed their deadline')
    .option(
      '--all',
      'also list the runs that ended in the last day; with --prune: delete the queues of all runs, before the stack is destroyed',
    )
    .option('--yes', 'with --prune --all: do it, although results are lost')
    .action(runs);
  addPrices(
    addRemoteOptions(
      program
        .command('status')
        .description('show the progress of a run')
        .argument('<run>', 'the run id'),
    ),
  )
    .option('--watch', 'show it again every 2 s, until the run has ended')
    .option('--json', 'print it as a JSON object on one line')
    .action((runId: string, flags: StatusFlags) =>
      untilSignal((signal) => status(runId, flags, signal)),
    );
}

async function runs({ prune, all, yes, json, ...flags }: RunsFlags): Promise<void> {
  if (yes && !(all && prune)) {
    throw new FanfoldError('BadOption', '--yes is for --prune --all: leave it out.');
  }
  if (all && prune) return pruneAll(flags, yes ?? false);
  const connection = await connectRemote(flags);
  const { fanfold, target } = connection;
  await using _ = fanfold;
  if (prune) {
    const pruned = await fanfold.prune();
    for (const run of pruned) json ? printRun(run) : print(run.runId);
    say(
      `${count(pruned.length, 'run')} deleted from ${nameOf(target)}: they had ended or passed their deadline`,
    );
    return;
  }
  if (all) return listAll(connection, json ?? false);
  let listed = 0;
  for await (const run of fanfold.runs()) {
    listed++;
    if (json) printRun(run);
    else print(rowOf(run));
  }
  if (!json) say(`${listed === 0 ? 'no runs' : count(listed, 'run')} on ${nameOf(target)}`);
}

/** Lists all runs, oldest first, with those that ended in the last day. */
async function listAll({ fanfold, target }: Connection, json: boolean): Promise<void> {
  const place = nameOf(target);
  const unfinished = await Array.fromAsync(fanfold.runs());
  // Read last: a run that ends meanwhile is listed here before its queue is deleted.
  const listed = await fanfold.endedRuns();
  const isUnfinished = new Set(unfinished.map(({ runId }) => runId));
  const ended = (listed ?? []).filter(({ runId }) => !isUnfinished.has(runId));
  const all = [...unfinished, ...ended].sort((one, other) => (one.runId < other.runId ? -1 : 1));
  for (const run of all) {
    if ('endedAt' in run) json ? printJson(jsonOfEnded(run)) : print(rowOfEnded(run));
    else json ? printRun(run) : print(rowOf(run));
  }
  if (listed === undefined) {
    say(
      `${place} keeps no list of ended runs, or you may not read it: update it to this version of Fanfold, and with it your permissions`,
    );
  }
  if (json) return;
  const inAll =
    ended.length === 0 ? '' : `, and ${count(ended.length, 'run')} that ended in the last day`;
  const first =
    unfinished.length === 0 ? 'no unfinished runs' : count(unfinished.length, 'unfinished run');
  say(`${first}${inAll} on ${place}`);
}

/** A run that ended in the last day; undefined if the place does not list it. */
export async function endedRun(fanfold: Fanfold, runId: string): Promise<EndedRun | undefined> {
  return (await fanfold.endedRuns())?.find((run) => run.runId === runId);
}

/**
 * The refusal to change a run, or to cancel it, that is not there: it names the place as the user
 * does, and how the run has ended, if the place knows that. Other errors pass unchanged.
 *
 * @param change such as `cancel`
 * @param other why else the place may not have the run
 */
export async function refusalOf(
  error: unknown,
  runId: string,
  { fanfold, target }: Connection,
  { change, other }: { change: string; other?: string },
): Promise<unknown> {
  if (!(error instanceof FanfoldError && error.code === 'UnknownRun')) return error;
  const ended = await endedRun(fanfold, runId).catch(() => undefined);
  if (ended === undefined) return unknownRun(runId, target, other);
  const line = commandLine(['results', runId, ...flagsOf(target)]);
  const stored = ended.output === undefined ? '' : ` To read its results: ${line}`;
  return new FanfoldError(
    'UnknownRun',
    `Run ${runId} on ${nameOf(target)} has ended already: ${outcomeOf(ended)}. There is nothing to ${change}.${stored}`,
  );
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
  if (run === undefined) {
    const ended = await endedRun(fanfold, runId);
    if (ended === undefined) throw unknownRun(runId, connection.target);
    if (json) printJson(jsonOfEnded(ended));
    else for (const line of alignedOf(factsOfEnded(ended))) print(line);
    return STATUS.ok;
  }
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
  if (!hasReader()) return STATUS.ok;
  // The run has ended, whether this can be read or not.
  const ended = await endedRun(fanfold, runId).catch(() => undefined);
  if (json && ended) printJson(jsonOfEnded(ended));
  say(`run ${runId} has ended${ended ? `: ${outcomeOf(ended)}` : ''}`);
  return STATUS.ok;
}

async function linesOf(run: RunStatus, { fanfold, target }: Connection): Promise<string[]> {
  const { waiting, delayed, inFlight } = await fanfold.backlog();
  const facts = {
    ...factsOf(run),
    [nameOf(target)]:
      `of all runs: ${count(waiting, 'chunk')} waiting, ${delayed} delayed, ${inFlight} in progress`,
  };
  return alignedOf(facts);
}

function alignedOf(facts: Record<string, string>): string[] {
  const width = Math.max(...Object.keys(facts).map((key) => key.length));
  return Object.entries(facts).map(([key, text]) => `${key.padEnd(width)}  ${text}`);
}
