import type { Command } from 'commander';
import { FanfoldError, type Run, type RunStatus } from '../index.ts';
import { checkOutput, outputOf } from './check-output.ts';
import { commandLine } from './command-line.ts';
import { followStored, ledgerOf } from './follow-stored.ts';
import { say } from './log.ts';
import { perform } from './perform.ts';
import { addPrices } from './prices.ts';
import { showProgress } from './progress.ts';
import { type Beginning, begin, goOn, hasBegun, type RunOutput, reopen } from './resume/index.ts';
import { refusalOf } from './runs.ts';
import { untilSignal } from './signals.ts';
import {
  addRemoteOptions,
  type Connection,
  connectRemote,
  type RemoteFlags,
  statusOf,
} from './target.ts';

interface CollectFlags extends RemoteFlags {
  output?: string;
  ordered?: boolean;
  quiet?: boolean;
}

/** `fanfold collect <run>`: collects the results of a run whose command has left it. */
export function addCollect(program: Command): void {
  addPrices(
    addRemoteOptions(
      program
        .command('collect')
        .description('collect the results of a run that another command started')
        .argument('<run>', 'the run id'),
    ),
  )
    .option(
      '--output <file>',
      'write results to this file; if it already belongs to this run, results are appended (default: standard output)',
    )
    .option('--ordered', 'write results in input order')
    .option('--quiet', 'print only errors')
    .action(collect);
}

async function collect(runId: string, flags: CollectFlags): Promise<void> {
  const { ordered = false, quiet = false } = flags;
  const output = outputOf(flags.output);
  await untilSignal(async (signal) => {
    checkOutput(output, [], { resume: true });
    const connection = await connectRemote(flags);
    await using fanfold = connection.fanfold;
    const status = await statusOf(connection, runId).catch(async (error: unknown) => {
      throw await refusalOf(error, runId, connection, { change: 'collect' });
    });
    if (status.output !== undefined) return await collectStored(connection, status, flags, signal);
    const { task } = status;
    const beginning = { task, ordered, withInput: false };
    const begun = output !== undefined && hasBegun(output);
    if (status.state === 'seeding' && !quiet) {
      say(
        'not all inputs of this run are seeded yet, so it cannot end: if the command that started it is gone, resume it there with --resume',
      );
    }
    const before = begun ? await resumeOutput(output, beginning, runId) : undefined;
    if (!begun && !quiet) {
      say('each result is collected once; an earlier command may have collected some already');
    }
    const earlier = before?.earlier ? { earlier: before.earlier } : {};
    const collector = before ? before.collector : crypto.randomUUID();
    // Before the output is created: a refused run must leave no file.
    const run = await fanfold.collect(task, runId, { ordered, collector, ...earlier });
    const recorded = before ?? (await begin(output, beginning, collector).catch(leaving(run)));
    return await perform({
      begin: async () => run,
      inputs: undefined,
      carried: undefined,
      recorded,
      connection,
      output,
      // Each result is collected only once, so this command can also resume without --output.
      again: commandLine(process.argv.slice(2)),
      quiet,
      signal,
    });
  });
}

/** Collects a run whose collector function was given up: its results go to S3, as before. */
async function collectStored(
  connection: Connection,
  { runId, output: place }: RunStatus,
  { output, ordered, quiet = false }: CollectFlags,
  signal: AbortSignal,
): Promise<number> {
  if ((output ?? ordered) !== undefined) {
    throw new FanfoldError(
      'BadOption',
      `The results of run ${runId} are stored in ${place}, not here: leave --output and --ordered out, or read what is stored with fanfold results.`,
    );
  }
  const run = await connection.fanfold.stored(runId);
  const startedAt = performance.now();
  let ledger = ledgerOf(run.status);
  const settings = () => run.status ?? run.settings;
  const { total } = run.status ?? {};
  const facts = { total, workers: undefined, awaited: () => undefined, settings };
  const progress = quiet ? undefined : showProgress(() => ledger, facts, false);
  try {
    await run.collect(signal, (now) => {
      ledger = now;
    });
  } finally {
    progress?.stop();
  }
  return await followStored(run, connection, { quiet, signal, startedAt });
}

async function resumeOutput(
  output: string,
  beginning: Beginning,
  runId: string,
): Promise<RunOutput> {
  const left = await reopen(output, beginning);
  const { living } = left;
  if (living?.runId === runId) return goOn(left, {});
  const whose = living ? `run ${living.runId}` : 'a local run, or a run that is over';
  throw new FanfoldError(
    'BadOption',
    `${output} has results of ${whose}, not of run ${runId}. Name another file.`,
  );
}

/** Leaves the run if the output can't be created: the run itself must continue. */
function leaving(run: Run): (error: unknown) => never {
  return (error) => {
    run.leave();
    throw error;
  };
}
