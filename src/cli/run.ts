import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { FanfoldError, RunLedger, type RunOptions } from '../index.ts';
import { JsonTexts, MAX_PAYLOAD_BYTES, refuseCollected } from '../internal.ts';
import { settleOutput } from './ask-output.ts';
import { type OnBadInput, onBadInputOf } from './bad-inputs.ts';
import { outputOf } from './check-output.ts';
import { commandLine } from './command-line.ts';
import { addFlowOptions, warnAboveCapacity } from './flow.ts';
import { boundHeap } from './heap.ts';
import { type OpenedInputs, openInputs } from './inputs/index.ts';
import { addPageOptions, checkPage, openPage, type PageFlags } from './live/run-page.ts';
import { count, say } from './log.ts';
import { addLogLevel } from './log-level.ts';
import { perform } from './perform.ts';
import { addAsIf, addPrices } from './prices.ts';
import { checkReportFlags, checkReportInputs } from './report.ts';
import { reportBad } from './report-bad.ts';
import {
  begin,
  checkResume,
  compare,
  goOn,
  type Left,
  type Living,
  type ResumeFlags,
  type RunOutput,
  reopen,
} from './resume/index.ts';
import { resumedOf } from './resume/resumed.ts';
import { isRetryOption, retriedOf } from './resume/retried.ts';
import { type MapFlags, optionsOf } from './run-options.ts';
import { isS3, runFromS3 } from './run-s3.ts';
import { checkStored, runStored, type StoredFlags, storesResults } from './run-stored.ts';
import { s3SchemeOf } from './s3-scheme.ts';
import { untilSignal } from './signals.ts';
import {
  addRemoteOptions,
  type Connection,
  connectTarget,
  nameOf,
  type TargetFlags,
} from './target.ts';
import { checkTask } from './tasks-module.ts';
import { carryInputs } from './with-input.ts';

interface RunFlags extends ResumeFlags, TargetFlags, MapFlags, StoredFlags, PageFlags {
  input?: string;
  range?: string;
  glob?: string;
  onBadInput?: OnBadInput;
  withInput?: boolean;
  report?: string;
  reportInputs?: boolean;
}

const TASK_LINES =
  'those that tasks log or print here, from this level (default: info; with --quiet: error)';

/** `fanfold run <task>`: maps a task over inputs. */
export function addRun(program: Command): void {
  const command = addRemoteOptions(program.command('run'));
  addLogLevel(command, TASK_LINES, undefined)
    .description('map a task over inputs and write the results as JSON lines')
    .argument('<task>', 'the name of a task (fanfold tasks lists them)')
    .option(
      '--input <file>',
      'read inputs from a .jsonl, .ndjson, .csv or .txt file, or JSON lines from standard input (-); with --stack also from s3://bucket/key',
      s3SchemeOf,
    )
    .option('--range <range>', 'use whole numbers as inputs: N for 0 to N-1, A..B for A to B')
    .option('--glob <pattern>', 'use the paths of files as inputs, such as "photos/**/*.jpg"')
    .option(
      '--on-bad-input <what>',
      'a bad line or row of --input: fail (ends the run; the default), skip (leaves it out) or report (its result is failed, as InvalidInput)',
      onBadInputOf,
    )
    .option(
      '--output <file>',
      'write results to this file (default: standard output); with --stack also s3://bucket/prefix/, or s3:// for its own bucket, where the stack stores them',
      s3SchemeOf,
    )
    .option(
      '--resume [run]',
      'resume a run that ended early, from the results in --output; of results in S3, name the run',
      resumedOf,
    )
    .option(
      '--retry-failed [codes]',
      'with --resume: run failed inputs again; --retry-failed=TimedOut,Lost: only those with these codes',
      retriedOf,
    )
    .option('--overwrite', 'replace an output that exists')
    .option('--ordered', 'write results in input order')
    .option('--with-input', 'add its input to each result')
    .option('--workers <n>', `worker processes (default: one per core, ${availableParallelism()})`)
    .option(
      '--tasks <module>',
      'the tasks module (default: the one in package.json under "fanfold", or else the built-in tasks, fanfold/tasks)',
    )
    .option(
      '--max-failures <n>',
      'cancel the run when more inputs fail than this number or percentage, such as 10 or 5% (default: no limit)',
    )
    .option(
      '--deadline <time>',
      'end the run after this time, such as 90s, 30m, 2h or 3d, even if results are missing (default: 1d, at most 13d)',
    );
  addFlowOptions(command)
    .option('--format <format>', 'of results in S3: jsonl, csv or parquet (default: jsonl)')
    .option('--compression <name>', 'of results in S3: gzip or zstd (default: none)')
    .option('--detach', 'with results in S3: print the run id once the inputs are seeded, and exit')
    .option('--report <file>', 'write a report of the run to this file: one page, HTML')
    .option('--report-inputs', 'show inputs that failed in the report, cut after 2,000 characters')
    .option('--quiet', 'print only errors');
  addPageOptions(addAsIf(addPrices(command))).action(run);
}

async function run(task: string, given: RunFlags): Promise<void> {
  const { output: named, ...rest } = given;
  const output = outputOf(named);
  const flags = output === undefined ? rest : { ...rest, output };
  checkStored(flags);
  if (!storesResults(flags)) checkResume(flags);
  checkReportFlags(flags, isS3(flags));
  if (flags.onBadInput === 'report' && flags.ordered) {
    throw new FanfoldError(
      'BadOption',
      '--on-bad-input report writes the results of bad inputs as it reads them, so it cannot be combined with --ordered: leave one of them out.',
    );
  }
  checkPage(flags, storesResults(flags));
  boundHeap();
  await untilSignal(async (signal) => {
    await using page = await openPage(flags);
    return await attempt(task, { ...flags, page }, signal);
  });
}

async function attempt(task: string, given: RunFlags, signal: AbortSignal): Promise<number> {
  const options = optionsOf(given);
  if (storesResults(given)) return runStored(task, given, options, signal);
  if (isS3(given)) return attemptFromS3(task, given, options, signal);
  const open = () => openInputs({ ...given, maxInputBytes: MAX_PAYLOAD_BYTES });
  const inputs = await open();
  checkReportInputs(given.report, inputs.files);
  const answered = await settleOutput(given.output, inputs.files, given, signal);
  const flags = { ...given, ...answered };
  const connection = await connectTarget(flags);
  // Closed after the workers, whose last lines it receives.
  using taskLog = connection.taskLog;
  await using fanfold = connection.fanfold;
  // Checked before old results are deleted: a name may be wrong, or the server unreachable.
  await checkTask(fanfold, task, flags.tasks);
  await warnAboveCapacity(connection, task, options.concurrency, flags);
  signal.throwIfAborted();
  const { recorded, resume, first, thenAgain } = await begun(task, flags, connection, open);
  taskLog?.keepIn(recorded.log);
  const { collector } = recorded;
  const isReporting = inputs.bad !== undefined && flags.onBadInput === 'report';
  const earlier = recorded.earlier ?? (isReporting ? new RunLedger() : undefined);
  const batches = first === undefined ? inputs.batches() : firstOf(inputs.batches(), first);
  const recordedBatches = recorded.watch(batches, connection.target.kind !== 'local');
  const watched =
    isReporting && inputs.bad && earlier
      ? reportBad(recordedBatches, inputs.bad, recorded, earlier)
      : recordedBatches;
  const carry = { isJoined: flags.withInput === true, keepsFailed: flags.reportInputs === true };
  const carried =
    carry.isJoined || carry.keepsFailed
      ? carryInputs(watched, (index) => earlier?.has(index) ?? false, carry)
      : undefined;
  const texts = new JsonTexts(carried?.batches ?? watched, first ?? inputs.total);
  const status = await perform({
    begin: async () => {
      if (resume) await carried?.readAhead(recorded.known);
      const before = earlier ? { earlier } : {};
      return fanfold.map(task, texts, { ...options, ...resume, ...before, collector });
    },
    inputs,
    carried,
    recorded,
    connection,
    output: flags.output,
    again: recorded.resumable ? resumeLine(process.argv.slice(2)) : undefined,
    retry:
      recorded.resumable && !flags.ordered && !thenAgain
        ? (option) => `${resumeLine(process.argv.slice(2))} ${option}`
        : undefined,
    quiet: flags.quiet ?? false,
    report: { task, path: flags.report },
    page: flags.page,
    reopen: flags.input === '-' ? undefined : open,
    signal,
  });
  return thenAgain ? attempt(task, flags, signal) : status;
}

/** Like `attempt`, for inputs that only the seed reads. */
async function attemptFromS3(
  task: string,
  given: RunFlags,
  options: RunOptions,
  signal: AbortSignal,
): Promise<number> {
  if (given.range !== undefined || given.glob !== undefined)
    await openInputs({ ...given, maxInputBytes: MAX_PAYLOAD_BYTES });
  const flags = { ...given, ...(await settleOutput(given.output, [], given, signal)) };
  const connection = await connectTarget(flags);
  await using fanfold = connection.fanfold;
  await checkTask(fanfold, task, flags.tasks);
  await warnAboveCapacity(connection, task, options.concurrency, flags);
  signal.throwIfAborted();
  return await runFromS3(task, flags, connection, options, signal);
}

interface Begun {
  recorded: RunOutput;
  /** Options that resume the run which an earlier command left, if it still exists. */
  resume?: RunOptions | undefined;
  /** Number of inputs, from the first, that belong to the run; undefined for all. */
  first?: number | undefined;
  /** Whether failed or appended inputs must run in a further run, once this one is over. */
  thenAgain: boolean;
}

/** Creates the output, or reopens it to resume. */
async function begun(
  task: string,
  flags: RunFlags,
  connection: Connection,
  open: () => Promise<OpenedInputs>,
): Promise<Begun> {
  const { output, ordered = false, withInput = false, resume, retryFailed } = flags;
  const { onBadInput = 'fail' } = flags;
  const beginning = { task, ordered, withInput, onBadInput };
  if (!resume || output === undefined) {
    return { recorded: await begin(output, beginning), thenAgain: false };
  }
  const left = await reopen(output, beginning);
  const living = await livingRun(connection, left);
  const retriesLater = retryFailed !== undefined && living !== undefined;
  const isRead = flags.input === '-';
  if (retriesLater && isRead) throw readOnce(left.living);
  const retriedNow = retriesLater ? undefined : retryFailed;
  const again = living === undefined ? { retryFailed } : undefined;
  const compared = isRead ? undefined : await compare(left, await open(), again);
  const { appended = 0, anew } = compared ?? {};
  const recorded = await goOn(left, {
    ...{ retryFailed: retriedNow, anew },
    isCompared: compared !== undefined,
  });
  const { ok = 0, failed = 0 } = recorded.before ?? {};
  const retried =
    recorded.again === 0 ? '' : `; ${count(recorded.again, 'failed input')} will run again`;
  const added =
    appended === 0 ? '' : `; ${count(appended, 'input')} ${appended === 1 ? 'is' : 'are'} new`;
  const before = `${count(ok + failed, 'result')} (${ok} ok, ${failed} failed)`;
  if (!flags.quiet) say(`resuming after ${before}${retried}${added}`);
  if (retriedNow && recorded.again === 0 && !flags.quiet) {
    const how = retriedNow === 'all' ? '' : ` as ${[...retriedNow].join(' or ')}`;
    say(`no input has failed${how}, so none runs again`);
  }
  const isLiving = recorded.living !== undefined && living !== undefined;
  return {
    recorded,
    resume: isLiving ? living : undefined,
    first: isLiving && appended > 0 ? compared?.before : undefined,
    thenAgain: retriesLater || (isLiving && appended > 0),
  };
}

/** The first inputs of batches. */
async function* firstOf(
  batches: AsyncIterable<string[]>,
  count: number,
): AsyncGenerator<string[], void> {
  let left = count;
  for await (const batch of batches) {
    yield batch.slice(0, left);
    left -= batch.length;
    if (left <= 0) return;
  }
}

/** Options that resume the run which an earlier command left; undefined if it no longer exists. */
async function livingRun(
  { fanfold, target }: Connection,
  { living, collector }: Left,
): Promise<RunOptions | undefined> {
  if (living === undefined || living.place !== nameOf(target)) return undefined;
  const status = await fanfold.status(living.runId);
  if (status === undefined) return undefined;
  // The output's own collector is gone, since the lock was free. Another one may be collecting.
  refuseCollected(status, collector);
  const { expiresAt, createdAt } = status;
  const { runId, seeded } = living;
  if (expiresAt === undefined) return { resume: { runId, seeded } };
  return { resume: { runId, seeded }, deadlineSeconds: (expiresAt - createdAt) / 1000 };
}

function readOnce(living: Living | undefined): FanfoldError {
  return new FanfoldError(
    'BadOption',
    `Run ${living?.runId} is not over yet. --retry-failed must wait until it is, and standard input cannot be read twice: use --resume alone first.`,
  );
}

function resumeLine(args: readonly string[]): string {
  const kept = args.filter(
    (arg) => !['--resume', '--overwrite'].includes(arg) && !isRetryOption(arg),
  );
  return commandLine([...kept, '--resume']);
}
