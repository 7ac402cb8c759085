import {
  FanfoldError,
  InputError,
  S3Inputs,
  type StoredOptions,
  type StoredRun,
} from '../index.ts';
import {
  COMPRESSIONS,
  FORMATS,
  folderOf,
  JsonTexts,
  MAX_PAYLOAD_BYTES,
  OWN_BUCKET,
} from '../internal.ts';
import type { OnBadInput } from './bad-inputs.ts';
import { commandLine } from './command-line.ts';
import { STATUS } from './exit.ts';
import { type FlowFlags, warnAboveCapacity } from './flow.ts';
import { followStored, warnOfNoInputs } from './follow-stored.ts';
import { type CommandInputs, type InputOptions, openInputs } from './inputs/index.ts';
import { count, print, say } from './log.ts';
import { located } from './perform.ts';
import type { ResumeFlags } from './resume/index.ts';
import { againLine, continuedRun, statusOfWhole } from './run-continued.ts';
import { isS3 } from './run-s3.ts';
import { connectTarget, flagsOf, nameOf, type Target, type TargetFlags } from './target.ts';
import { checkTask } from './tasks-module.ts';

/** Flags of `fanfold run` that concern results in S3. */
export interface StoredFlags {
  output?: string;
  format?: string;
  compression?: string;
  detach?: boolean;
}

type RunFlags = StoredFlags &
  ResumeFlags &
  TargetFlags &
  FlowFlags &
  Omit<InputOptions, 'maxInputBytes'> & {
    onBadInput?: OnBadInput;
    withInput?: boolean;
    report?: string;
  };

/** True if the results must be stored in S3. */
export function storesResults({ output }: StoredFlags): boolean {
  return output?.startsWith('s3:') ?? false;
}

/** @throws FanfoldError `BadOption` for flags that do not fit the place of the results */
export function checkStored(flags: RunFlags): void {
  const { output = '', format, compression, detach, onBadInput } = flags;
  const refuse = (why: string) => {
    throw new FanfoldError('BadOption', why);
  };
  if (!storesResults(flags)) {
    if (flags.stack !== undefined && /^s3$/i.test(output)) {
      refuse(
        `--output ${output} names a file on this machine. For results that the stack stores in S3, give --output s3://, its own bucket, or s3://BUCKET/PREFIX/; for the file, --output ./${output}.`,
      );
    }
    const given = Object.entries({
      '--format': format,
      '--compression': compression,
      '--detach': detach,
    });
    const [flag] = given.find(([, value]) => value !== undefined) ?? [];
    const inputs =
      flag === '--format' ? ' The format of inputs follows from their file’s extension.' : '';
    if (flag)
      refuse(
        `${flag} is for results that a stack stores in S3: --stack NAME --output s3://BUCKET/PREFIX/.${inputs}`,
      );
    return;
  }
  if (flags.stack === undefined) {
    refuse(
      `--output ${output}: the collector function of a stack stores results in S3, so name the stack with --stack. From a run elsewhere: fanfold run TASK ... | aws s3 cp - s3://BUCKET/KEY`,
    );
  }
  if (output !== OWN_BUCKET) folderOf(output);
  for (const [flag, value, known] of [
    ['--format', format, FORMATS],
    ['--compression', compression, COMPRESSIONS],
  ] as const) {
    if (value === undefined || known.some((one) => one === value)) continue;
    refuse(`${flag} must be ${known.join(' or ')}; got "${value}".`);
  }
  if (flags.resume === true) {
    refuse(
      '--resume needs the run to continue, as each run has a folder of its own in S3: --resume RUN, by its id or its folder. To follow a run that goes on: fanfold wait RUN.',
    );
  }
  if (flags.retryFailed && !flags.resume) {
    refuse('--retry-failed works only with --resume RUN: give both.');
  }
  if (flags.overwrite && flags.report === undefined) {
    refuse('--overwrite is for files: in S3, each run has a folder of its own. Leave it out.');
  }
  if (flags.withInput) {
    refuse(
      '--with-input adds inputs to results that this command writes, and it does not write those in S3.',
    );
  }
  if (isS3(flags) && onBadInput === 'skip') {
    refuse(
      '--on-bad-input needs the inputs on this machine, and inputs in S3 are not downloaded. Download them to a file first.',
    );
  }
  if (onBadInput === 'report') {
    refuse(
      '--on-bad-input report writes results here, and these are stored in S3: use skip or fail.',
    );
  }
}

/** Runs a task on a stack, which stores the results in S3. */
export async function runStored(
  task: string,
  flags: RunFlags,
  options: Omit<StoredOptions, 'output'>,
  signal: AbortSignal,
): Promise<number> {
  const isThere = isS3(flags) && (flags.range ?? flags.glob) === undefined;
  const inputs = isThere
    ? undefined
    : await openInputs({ ...flags, maxInputBytes: MAX_PAYLOAD_BYTES });
  try {
    return await runOpened(task, flags, inputs, options, signal);
  } finally {
    inputs?.close();
  }
}

/** @param inputs undefined for inputs that only the seed reads */
async function runOpened(
  task: string,
  flags: RunFlags,
  inputs: CommandInputs | undefined,
  options: Omit<StoredOptions, 'output'>,
  signal: AbortSignal,
): Promise<number> {
  const { quiet = false, detach = false } = flags;
  const connection = await connectTarget(flags);
  const { target } = connection;
  await using fanfold = connection.fanfold;
  await checkTask(fanfold, task, undefined);
  await warnAboveCapacity(connection, task, options.concurrency, flags);
  signal.throwIfAborted();
  const startedAt = performance.now();
  const continued = await continuedRun(flags, connection, inputs !== undefined);
  if (continued?.isWhole) return statusOfWhole(continued, flags);
  const source = inputs
    ? new JsonTexts(inputs.batches(), inputs.total)
    : new S3Inputs(flags.input ?? '');
  const resume = continued?.kept;
  const run = fanfold.map(task, source, { ...options, output: outputOf(flags), resume });
  const leave = () => run.leave();
  signal.addEventListener('abort', leave);
  try {
    const output = await run.output;
    if (!quiet)
      say(`began run ${run.runId} on ${nameOf(target)}; its results will be in ${output}`);
    await run.detach();
  } catch (error) {
    if (signal.aborted) reportUnseeded(run, target);
    signal.throwIfAborted();
    throw error instanceof InputError && inputs ? located(error, inputs) : error;
  } finally {
    signal.removeEventListener('abort', leave);
  }
  const leftOut = inputs?.bad?.leftOut;
  if (leftOut !== undefined && !quiet) say(leftOut);
  if (detach) {
    if (inputs && run.seeded === 0) warnOfNoInputs();
    print(run.runId);
    return STATUS.ok;
  }
  const again = (option?: string) => againLine(run.runId, option);
  const { report } = flags;
  return await followStored(run, connection, { quiet, signal, startedAt, again, report });
}

function outputOf({ output = '', format, compression }: StoredFlags): StoredOptions['output'] {
  // They were checked before.
  return { s3: output, format, compression } as StoredOptions['output'];
}

/** A run whose inputs are not all seeded can't end before its deadline. */
function reportUnseeded(run: StoredRun, target: Target): void {
  const { runId, seeded } = run;
  if (seeded === 0) {
    say(`interrupted: no input of run ${runId} is certain to be seeded`);
    return;
  }
  const line = commandLine(['cancel', runId, ...flagsOf(target)]);
  say(
    `interrupted: ${count(seeded, 'input')} of run ${runId} ${seeded === 1 ? 'is' : 'are'} seeded, not all, so it ends only at its deadline; to cancel it: ${line}`,
  );
  say(`to run the other inputs after that: ${againLine(runId)}`);
}
