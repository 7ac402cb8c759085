import type { Command } from 'commander';
import { type EndedRun, FanfoldError, type RunStatus } from '../index.ts';
import { isOver } from '../internal.ts';
import { STATUS } from './exit.ts';
import { followStored, ledgerOf } from './follow-stored.ts';
import { say } from './log.ts';
import { costText } from './money.ts';
import { addPrices } from './prices.ts';
import { showProgress } from './progress.ts';
import { checkReport, reportLine, writeReport } from './report.ts';
import { reportFrom } from './report-elsewhere.ts';
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
  report?: string;
  overwrite?: boolean;
}

/** `fanfold wait <run>`: waits for the end of a run, whoever collects it. */
export function addWait(program: Command): void {
  addPrices(
    addRemoteOptions(
      program
        .command('wait')
        .description('wait for the end of a run; the exit status is as that of run')
        .argument('<run>', 'the run id, or the folder of its results in S3', s3SchemeOf),
    ),
  )
    .option('--report <file>', 'write a report of the run to this file: one page, HTML')
    .option('--overwrite', 'replace a file that is not a report')
    .option('--quiet', 'print only errors')
    .action((run: string, flags: WaitFlags) => untilSignal((signal) => wait(run, flags, signal)));
}

async function wait(
  named: string,
  { quiet = false, report, overwrite, ...flags }: WaitFlags,
  signal: AbortSignal,
): Promise<number> {
  if (report !== undefined) checkReport('--report', report, { overwrite });
  const connection = await connectRemote(flags);
  await using fanfold = connection.fanfold;
  const status = named.startsWith('s3://') ? undefined : await fanfold.status(named);
  if (status !== undefined && status.output === undefined) {
    return await waitElsewhere(status, connection, { quiet, signal, report });
  }
  const ended = status ? undefined : await endedRun(fanfold, named);
  if (ended && ended.output === undefined) {
    return await tellEnd(ended, connection, { quiet, report });
  }
  const place = status?.output ?? ended?.output ?? named;
  const run = await fanfold.stored(place);
  return await followStored(run, connection, { quiet, signal, report });
}

/** Waits for a run that another command or program collects. */
async function waitElsewhere(
  first: RunStatus,
  connection: Connection,
  { quiet, signal, report }: Telling & { signal: AbortSignal },
): Promise<number> {
  const { fanfold, target } = connection;
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
  if (ended) return await tellEnd(ended, connection, { quiet, report });
  throw new FanfoldError(
    'RunFailed',
    `Run ${runId} is over, but ${nameOf(target)} does not say how it ended: the command that collected it has its results.`,
  );
}

interface Telling {
  quiet: boolean;
  /** File for the run's report. @default none */
  report?: string | undefined;
}

/** Says how a run has ended, and writes its report. Returns the exit status. */
async function tellEnd(
  ended: EndedRun,
  connection: Connection,
  { quiet, report }: Telling,
): Promise<number> {
  if (!quiet) say(`run ${ended.runId} has ended: ${outcomeOf(ended)}`);
  if (!quiet && ended.cost) say(`cost: ${costText(ended.cost)}`);
  if (report !== undefined) {
    await writeReport(report, await reportFrom(ended, connection));
    if (!quiet) say(reportLine(report));
  }
  const isWhole = ended.failed + ended.cancelled === 0 && ended.cause === undefined;
  return isWhole ? STATUS.ok : STATUS.failed;
}
