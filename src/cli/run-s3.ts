import { FanfoldError, type Run, type RunOptions, S3Inputs } from '../index.ts';
import { commandLine } from './command-line.ts';
import type { RunPage } from './live/run-page.ts';
import { perform } from './perform.ts';
import { begin, goOn, type RunOutput, reopen } from './resume/index.ts';
import type { Retried } from './resume/retried.ts';
import { type Connection, nameOf, type Target } from './target.ts';

/** Flags of `fanfold run` that concern inputs in S3, which the seed reads. */
export interface S3RunFlags {
  input?: string;
  output?: string;
  ordered?: boolean;
  withInput?: boolean;
  resume?: boolean | string;
  retryFailed?: Retried;
  onBadInput?: string;
  quiet?: boolean;
  report?: string;
  page?: RunPage | undefined;
}

export function isS3({ input }: S3RunFlags): boolean {
  return input?.startsWith('s3://') ?? false;
}

/** Runs a task over inputs that a stack's seed reads from S3. This machine never reads them. */
export async function runFromS3(
  task: string,
  flags: S3RunFlags,
  connection: Connection,
  options: RunOptions,
  signal: AbortSignal,
): Promise<number> {
  const { input = '', output, quiet = false } = flags;
  check(flags, connection.target);
  const recorded = await recordedOf(task, flags);
  const { earlier, collector } = recorded;
  return perform({
    begin: async () => {
      const living = flags.resume
        ? await collectEarlierRun(task, recorded, connection, options)
        : undefined;
      return (
        living ??
        connection.fanfold.map(task, new S3Inputs(input), {
          ...options,
          collector,
          earlier,
        })
      );
    },
    inputs: undefined,
    isStartedHere: true,
    carried: undefined,
    recorded,
    connection,
    output,
    again: recorded.resumable ? resumeLine() : undefined,
    report: { task, path: flags.report },
    page: flags.page,
    quiet,
    signal,
  });
}

function check({ withInput, retryFailed, onBadInput }: S3RunFlags, target: Target): void {
  const refuse = (why: string) => {
    throw new FanfoldError('BadOption', why);
  };
  if (target.kind === 'local') {
    refuse(
      "A stack's seed function reads inputs in S3: name the stack with --stack. For a run on this machine: aws s3 cp s3://BUCKET/KEY - | fanfold run TASK --input -",
    );
  }
  if (withInput)
    refuse('--with-input needs the inputs on this machine, and inputs in S3 are not downloaded.');
  if (onBadInput !== undefined && onBadInput !== 'fail') {
    refuse(
      '--on-bad-input needs the inputs on this machine, and inputs in S3 are not downloaded. Download them to a file first.',
    );
  }
  if (retryFailed) {
    refuse(
      '--retry-failed needs the inputs on this machine, and inputs in S3 are not downloaded. Download them to a file first.',
    );
  }
}

async function recordedOf(task: string, flags: S3RunFlags): Promise<RunOutput> {
  const { output, ordered = false, resume } = flags;
  const beginning = { task, ordered, withInput: false };
  if (!resume || output === undefined) return begin(output, beginning);
  return goOn(await reopen(output, beginning), {});
}

/** Collects the run that an earlier command started, and which continues by itself. */
async function collectEarlierRun(
  task: string,
  { living, earlier, collector }: RunOutput,
  { fanfold, target }: Connection,
  { ordered = false, concurrency, rate }: RunOptions,
): Promise<Run> {
  const status = living?.place === nameOf(target) ? await fanfold.status(living.runId) : undefined;
  if (living !== undefined && status !== undefined) {
    if (concurrency !== undefined || rate !== undefined) {
      await fanfold.set(living.runId, { concurrency, rate });
    }
    const before = earlier ? { earlier } : {};
    return fanfold.collect(task, living.runId, { ordered, collector, ...before });
  }
  throw new FanfoldError(
    'BadOption',
    `There is no run to resume: ${living ? `run ${living.runId} on ${living.place} is over` : 'no run is recorded'}. Give --overwrite in place of --resume to start one.`,
  );
}

function resumeLine(): string {
  const kept = process.argv.slice(2).filter((arg) => arg !== '--resume');
  return commandLine([...kept, '--resume']);
}
