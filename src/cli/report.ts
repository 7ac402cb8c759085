import {
  accessSync,
  constants,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { FanfoldError, type Run, type Statistics } from '../index.ts';
import { createdAt, type ReportData, reportHtml, type Sample, unpacked } from '../internal.ts';
import { isSameFile, outputOf } from './check-output.ts';
import type { InputFile } from './inputs/index.ts';
import { count, say } from './log.ts';
import { reportOfRun } from './report-elsewhere.ts';
import { reportOfResults } from './report-of-results.ts';
import { headOf } from './resume/head.ts';
import { type RunOutput, readRecordedRun } from './resume/index.ts';
import { RunRecord } from './resume/record.ts';
import { isOutput } from './resume/recorded-run.ts';
import { s3SchemeOf } from './s3-scheme.ts';
import {
  addRemoteOptions,
  connectRemote,
  nameOf,
  type RemoteFlags,
  type Target,
} from './target.ts';

interface ReportFlags extends RemoteFlags {
  output?: string;
  overwrite?: boolean;
  reportInputs?: boolean;
}

/** `fanfold report <results>`: makes the report of an earlier run. */
export function addReport(program: Command): void {
  addRemoteOptions(
    program
      .command('report')
      .description('make a report of an earlier run: one HTML file that needs no network')
      .argument(
        '<results>',
        'the output file of the run; with --stack or --endpoint, the run id, or the folder of its results in S3',
        s3SchemeOf,
      ),
  )
    .option(
      '--output <file>',
      'write the report to this file (default: <results>.html, or the run id)',
    )
    .option('--overwrite', 'replace a file that is not a report')
    .option('--report-inputs', 'show inputs that failed, if the run kept them with this option')
    .action(report);
}

async function report(results: string, flags: ReportFlags): Promise<void> {
  if (isElsewhere(results, flags)) await reportElsewhere(results, flags);
  else await reportOfFile(results, flags);
}

function isElsewhere(named: string, { stack, endpoint }: ReportFlags): boolean {
  if (stack !== undefined || endpoint !== undefined || named.startsWith('s3://')) return true;
  return createdAt(named) !== undefined && !isOutput(named);
}

async function reportElsewhere(named: string, flags: ReportFlags): Promise<void> {
  const { output, overwrite, reportInputs } = flags;
  if (reportInputs) throw noInputs('no place has them but the command that seeds the run');
  // A folder of a run ends in its id.
  const path = output ?? `${basename(named)}.html`;
  checkReport('--output', path, { overwrite });
  const connection = await connectRemote(flags);
  await using _ = connection.fanfold;
  await writeReport(path, await reportOfRun(named, connection));
  say(reportLine(path));
}

async function reportOfFile(results: string, flags: ReportFlags): Promise<void> {
  const { output, overwrite, reportInputs } = flags;
  const path = output ?? `${results}.html`;
  if (!isOutput(results)) {
    const why = `${results} does not exist: name the file that a run wrote with --output. Of a run on a stack or server, name its id and the place: --stack NAME or --endpoint URL.`;
    throw new FanfoldError('BadOption', why);
  }
  if (statSync(results, { throwIfNoEntry: false })?.isDirectory()) {
    throw new FanfoldError('BadOption', `${results} is a folder: name a file of results.`);
  }
  checkReport('--output', path, { overwrite, beside: results });
  const { report: kept, task } = readRecordedRun(results, 'optional');
  const data = kept ? unpacked(kept) : await reportOfResults(results, task || basename(results));
  const { inputs, missing, samples, ...known } = data;
  const isUnknown = reportInputs && !inputs;
  const more = isUnknown ? ['The inputs are not known: the run had no --report-inputs.'] : [];
  // Log lines may tell of inputs.
  const shown = reportInputs
    ? { inputs, samples }
    : { samples: samples?.map((sample) => ({ ...sample, log: [] })) };
  await writeReport(path, { ...known, ...shown, missing: [...missing, ...more] });
  say(reportLine(path));
}

/** Files that a report may replace, or must not. */
interface Replacing {
  overwrite?: boolean | undefined;
  /** The results, which it must not. */
  beside?: string | undefined;
}

/** @throws FanfoldError when a report cannot be written there, or would replace another file */
export function checkReport(option: string, path: string, { overwrite, beside }: Replacing): void {
  const refuse = (why: string) => {
    throw new FanfoldError('BadOption', `${option} ${path}: ${why}`);
  };
  if (outputOf(path) === undefined) {
    refuse('a report can only be written to a file, not to standard output: name one.');
  }
  const folder = dirname(path);
  const old = statSync(path, { throwIfNoEntry: false });
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    refuse(`the folder ${folder} does not exist. Create it first (mkdir -p), or name another.`);
  }
  if (old?.isDirectory() || path.endsWith('/')) refuse('this is a folder: name a file in it.');
  // The report replaces what is there: also /dev/null, if the user is root.
  if (old && !old.isFile()) refuse('this is a device or a pipe: name a file.');
  const taken = beside === undefined ? [] : RunRecord.filesOf(beside);
  if (taken.some((file) => isSamePlace(path, file))) {
    refuse('this is the file with the results, or one that belongs to it: name another file.');
  }
  if (old && old.size > 0 && !overwrite && !headOf(path)?.startsWith(REPORT)) {
    refuse('it exists, and is not a report. Name another file, or give --overwrite to replace it.');
  }
  try {
    // The report is written beside it, and replaces it at once.
    accessSync(folder, constants.W_OK);
  } catch {
    refuse(`the folder ${folder} is not writable. Name a file in another one.`);
  }
}

/** True if both name one file: one that exists, or one in the same folder. */
function isSamePlace(path: string, other: string): boolean {
  if (isSameFile(path, other)) return true;
  const [folder, otherFolder] = [dirname(path), dirname(other)];
  const isFolder = statSync(otherFolder, { throwIfNoEntry: false })?.isDirectory();
  const at = (real: string, file: string) => join(realpathSync(real), basename(file));
  return isFolder === true && at(folder, path) === at(otherFolder, other);
}

/** @throws FanfoldError when a report would replace an input, which --overwrite must not permit */
export function checkReportInputs(path: string | undefined, reads: readonly InputFile[]): void {
  const read = path && reads.find(({ file }) => isSameFile(path, file));
  if (!read) return;
  const why = `this is the input ${read.name}: the report would replace it. Name another file.`;
  throw new FanfoldError('BadOption', `--report ${path}: ${why}`);
}

interface RunReportFlags extends Replacing {
  output?: string;
  detach?: boolean;
  report?: string;
  reportInputs?: boolean;
}

/** @throws FanfoldError when `fanfold run` cannot write the report that its options ask for */
export function checkReportFlags(flags: RunReportFlags, isFromS3: boolean): void {
  const { report, reportInputs, output: beside, detach } = flags;
  if (report !== undefined) checkReport('--report', report, { ...flags, beside });
  if (report !== undefined && detach) {
    const why = '--report is written at the end of the run, for which --detach does not wait';
    const later = 'Leave it out, and give it to `fanfold wait RUN` or use `fanfold report RUN`.';
    throw new FanfoldError('BadOption', `${why}. ${later}`);
  }
  if (!reportInputs) return;
  if (report === undefined) {
    throw noInputs('it shows inputs in the report that --report FILE writes: add that', '');
  }
  if (isFromS3) throw noInputs('the seed reads the inputs from S3, so they are not known here');
  if (beside?.startsWith('s3:')) {
    throw noInputs(
      'results that a stack stores in S3 are not seen here, so neither is what failed',
    );
  }
}

function noInputs(why: string, remedy = ' Leave it out.'): FanfoldError {
  return new FanfoldError('BadOption', `--report-inputs: ${why}.${remedy}`);
}

/** Beginning of each report. */
const REPORT = '<!doctype html>\n<html lang="en" data-fanfold-report';

interface ReportOptions {
  task: string;
  /** Inputs that failed, as JSON texts. @default the report shows none */
  inputs?: ReadonlyMap<number, string> | undefined;
  /** Failures of some inputs. @default they are not known */
  samples?: Sample[] | undefined;
}

/** The report of a run that a command has collected, to its end or until it was stopped. */
export function reportOf(
  run: Run,
  { task, ...shown }: ReportOptions,
  target: Target,
  recorded: RunOutput,
): ReportData {
  const { runId, cause } = run;
  const { ok = 0, failed = 0 } = recorded.before ?? {};
  const earlier = ok + failed;
  const missing =
    earlier === 0
      ? []
      : [
          `${count(earlier, 'result')} ${earlier === 1 ? 'is' : 'are'} from earlier commands: charts, durations and workers are those of the other results.`,
        ];
  const { elsewhere } = run;
  if (elsewhere > 0) missing.push(`Another command has collected ${count(elsewhere, 'result')}.`);
  const place = target.kind === 'local' ? undefined : nameOf(target);
  const statistics = run.statistics();
  const inputs = shown.inputs && examplesIn(statistics, shown.inputs);
  return { task, runId, place, cause, missing, statistics, inputs, samples: shown.samples };
}

/** Those of the inputs that the report names. */
function examplesIn(
  { failures }: Statistics,
  inputs: ReadonlyMap<number, string>,
): [number, string][] {
  const named = new Set(failures.flatMap(({ indexes }) => indexes));
  return [...inputs].filter(([index]) => named.has(index));
}

export function reportLine(path: string): string {
  return `the report is in ${path}`;
}

export function writeReport(path: string, data: ReportData): Promise<void> {
  return writePage(path, () => reportHtml(data));
}

/** Writes a page: the file is whole, or as it was. */
export async function writePage(path: string, html: () => Promise<string> | string): Promise<void> {
  const written = `${path}.part`;
  try {
    writeFileSync(written, await html());
    renameSync(written, path);
  } catch (cause) {
    rmSync(written, { force: true });
    const why = `The report ${path} could not be written: ${(cause as Error).message}.`;
    throw new FanfoldError('RunFailed', why, { cause });
  }
}
