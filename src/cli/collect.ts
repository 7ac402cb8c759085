import type { Command } from 'commander';
import { FanfoldError } from '../index.ts';
import { checkOutput } from './output.ts';
import { perform } from './perform.ts';
import { addRemoteOptions, type Place, type RemoteFlags, remotePlace } from './place.ts';
import { type Beginning, begin, goOn, hasBegun, type Recorded } from './resume/index.ts';
import { say } from './say.ts';
import { untilSignal } from './signals.ts';

interface CollectFlags extends RemoteFlags {
  output?: string;
  ordered?: boolean;
  quiet?: boolean;
}

/** `fanfold collect <run>`: takes the results of a run whose command has left it. */
export function addCollect(program: Command): void {
  addRemoteOptions(
    program
      .command('collect')
      .description('take the results of a run that another command began, and left')
      .argument('<run>', 'the run id'),
  )
    .option(
      '--output <file>',
      "where results go; the run's own file from before is gone on with (default: standard output)",
    )
    .option('--ordered', 'results in input order')
    .option('--quiet', 'say nothing but errors')
    .action(collect);
}

async function collect(runId: string, flags: CollectFlags): Promise<void> {
  const { output, ordered = false, quiet = false } = flags;
  await untilSignal(async (signal) => {
    if (output !== undefined) await checkOutput(output, undefined);
    const place = await remotePlace(flags);
    await using fanfold = place.fanfold;
    const task = await taskOf(place, runId);
    const beginning = { task, ordered, withInput: false };
    const begun = output !== undefined && hasBegun(output);
    const before = begun ? await goOnWith(output, beginning, runId) : undefined;
    if (!begun && !quiet) {
      say('each result comes once in what is collected now; some may have been taken before');
    }
    const earlier = before?.earlier ? { earlier: before.earlier } : {};
    // The run is asked for first: no file is begun for one that is refused.
    const run = await fanfold.collect(task, runId, { ordered, ...earlier });
    return await perform({
      begin: async () => run,
      inputs: undefined,
      carried: undefined,
      recorded: before ?? (await begin(output, beginning)),
      place: place.name,
      isElsewhere: true,
      output,
      quiet,
      workers: undefined,
      signal,
    });
  });
}

async function goOnWith(output: string, beginning: Beginning, runId: string): Promise<Recorded> {
  const recorded = await goOn(output, beginning, false, undefined);
  const { living } = recorded;
  if (living?.runId === runId) return recorded;
  const whose = living ? `run ${living.runId}` : 'a run on this machine';
  throw new FanfoldError(
    'BadOption',
    `${output} has results of ${whose}, not of run ${runId}. Name another file.`,
  );
}

async function taskOf({ fanfold, name }: Place, runId: string): Promise<string> {
  const status = await fanfold.status(runId);
  if (status !== undefined) return status.task;
  throw new FanfoldError(
    'UnknownRun',
    `There is no run ${runId} on ${name}: it has ended, or was never there.`,
  );
}
