import type { Command } from 'commander';
import { FanfoldError, type RunStatus } from '../index.ts';
import { isOver } from '../internal.ts';
import { STATUS } from './exit.ts';
import { followStored, ledgerOf } from './follow-stored.ts';
import { say } from './log.ts';
import { costText } from './money.ts';
import { showProgress } from './progress.ts';
import { outcomeOf } from './run-facts.ts';
import { endedRun } from './runs.ts';
import { s3SchemeOf } from './s3-scheme.ts';
import { untilSignal } from './signals.ts';
import {
  addRemoteOptions,
  type Connection,
  connectRemote,
  nameOf,
  type RemoteFlags,
} from './target.ts';
import { watch } from './watch.ts';

interface WaitFlags extends RemoteFlags {
  quiet?: boolean;
}

/** `fanfold wait <run>`: waits for the end of a run, whoever collects it. */
export function addWait(program: Command): void {
  addRemoteOptions(
    program
      .command('wait')
      .description('wait for the end of a run; the exit status is as that of run')
      .argument('<run>', 'the run id, or the folder of its results in S3', s3SchemeOf),
  )
    .option('--quiet', 'print only errors')
    .action((run: string, flags: WaitFlags) => untilSignal((signal) => wait(run, flags, signal)));
}

async function wait(
  named: string,
  { quiet = false, ...flags }: WaitFlags,
  signal: AbortSignal,
): Promise<number> {
  const connection = await connectRemote(flags);
  await using fanfold = connection.fanfold;
  const status = named.startsWith('s3://') ? undefined : await fanfold.status(named);
  if (status !== undefined && status.output === undefined) {
    return await waitElsewhere(status, connection, { quiet, signal });
  }
  const ended = status ? undefined : await endedRun(fanfold, named);
  if (ended && ended.output === undefined) return statusOfEnded(ended, quiet);
  const place = status?.output ?? ended?.output ?? named;
  return await followStored(await fanfold.stored(place), connection, { quiet, signal });
}

/** Waits for a run that another command or program collects. */
async function waitElsewhere(
  first: RunStatus,
  { fanfold, target }: Connection,
  { quiet, signal }: { quiet: boolean; signal: AbortSignal },
): Promise<number> {
  const { runId } = first;
  let latest = first;
  const facts = {
    ...{ total: first.total, workers: undefined, awaited: () => undefined },
    settings: () => latest,
    cost: () => latest.cost,
  };
  const progress = quiet ? undefined : showProgress(() => ledgerOf(latest), facts, false);
  try {
    await watch({
      look: () => fanfold.status(runId),
      show: (status) => {
        latest = status;
      },
      isLast: isOver,
      ...{ place: nameOf(target), signal },
    });
  } finally {
    progress?.stop();
  }
  const ended = await endedRun(fanfold, runId);
  if (ended) return statusOfEnded(ended, quiet);
  throw new FanfoldError(
    'RunFailed',
    `Run ${runId} is over, but ${nameOf(target)} does not say how it ended: the command that collected it has its results.`,
  );
}

function statusOfEnded(ended: Parameters<typeof outcomeOf>[0], quiet: boolean): number {
  if (!quiet) say(`run ${ended.runId} has ended: ${outcomeOf(ended)}`);
  if (!quiet && ended.cost) say(`cost: ${costText(ended.cost)}`);
  const isWhole = ended.failed + ended.cancelled === 0 && ended.cause === undefined;
  return isWhole ? STATUS.ok : STATUS.failed;
}
