import type { Command } from 'commander';
import type { RunStatus } from '../index.ts';
import { count, print, rateText, say } from './log.ts';
import { addRemoteOptions, connectRemote, nameOf, type RemoteFlags, unknownRun } from './target.ts';

/** `fanfold runs` and `fanfold status <run>`: list a deployment's runs, and show one. */
export function addRuns(program: Command): void {
  addRemoteOptions(program.command('runs').description('list unfinished runs, oldest first'))
    .option('--prune', 'delete the queues of runs that have ended or passed their deadline')
    .action(runs);
  addRemoteOptions(
    program
      .command('status')
      .description('show the progress of a run')
      .argument('<run>', 'the run id'),
  ).action(status);
}

async function runs({ prune, ...flags }: RemoteFlags & { prune?: boolean }): Promise<void> {
  const { fanfold, target } = await connectRemote(flags);
  await using _ = fanfold;
  if (prune) {
    const pruned = await fanfold.prune();
    for (const { runId } of pruned) print(runId);
    say(
      `${count(pruned.length, 'run')} deleted from ${nameOf(target)}: they had ended or passed their deadline`,
    );
    return;
  }
  let listed = 0;
  for await (const run of fanfold.runs()) {
    listed++;
    print(`${run.runId}  ${run.task}  ${run.state}  ${doneOf(run)}  ${collectorOf(run)}`);
  }
  say(`${listed === 0 ? 'no runs' : count(listed, 'run')} on ${nameOf(target)}`);
}

async function status(runId: string, flags: RemoteFlags): Promise<void> {
  const connection = await connectRemote(flags);
  await using fanfold = connection.fanfold;
  const run = await fanfold.status(runId);
  if (run === undefined) throw unknownRun(runId, connection.target);
  const { waiting, delayed, inFlight } = await fanfold.backlog();
  const deadline = run.expiresAt === undefined ? '?' : new Date(run.expiresAt).toISOString();
  const lines = {
    run: runId,
    task: run.task,
    began: `${new Date(run.createdAt).toISOString()}, ${ago(run, run.createdAt)}`,
    inputs: `${run.total ?? '?'}, ${run.state === 'sealed' ? 'all seeded' : 'not all seeded yet'}`,
    done: doneOf(run),
    rate: rateOf(run),
    collector: collectorOf(run),
    results: `${count(run.waiting, 'message')} not collected yet`,
    deadline,
    [nameOf(connection.target)]:
      `of all runs: ${waiting} chunks waiting, ${delayed} delayed, ${inFlight} in progress`,
  };
  const width = Math.max(...Object.keys(lines).map((key) => key.length));
  for (const [key, text] of Object.entries(lines)) print(`${key.padEnd(width)}  ${text}`);
}

function doneOf({ ok, failed, total }: RunStatus): string {
  const of = total === undefined ? '' : ` of ${total}`;
  return `${ok + failed}${of} done (${ok} ok, ${failed} failed)`;
}

/** Average rate since the run began, as of the collector's last heartbeat. */
function rateOf({ ok, failed, createdAt, collectedAt }: RunStatus): string {
  if (collectedAt === undefined) return '?';
  const rate = (ok + failed) / Math.max(1, (collectedAt - createdAt) / 1000);
  return `${rateText(rate)} inputs/s since it began`;
}

function collectorOf(run: RunStatus): string {
  const { collectedAt } = run;
  return collectedAt === undefined ? 'no collector' : `collector seen ${ago(run, collectedAt)}`;
}

/** Age by the clock that wrote the time, since this machine's clock may be wrong. */
function ago({ readAt }: RunStatus, time: number): string {
  const seconds = Math.max(0, Math.round((readAt - time) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7_200
    ? `${Math.round(seconds / 60)} min ago`
    : `${Math.round(seconds / 3_600)} h ago`;
}
