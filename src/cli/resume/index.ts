import { existsSync } from 'node:fs';
import { FanfoldError, type RunLedger } from '../../index.ts';
import type { FileLock } from '../../internal.ts';
import type { OpenedInputs } from '../inputs/index.ts';
import { openOutput } from '../output.ts';
import type { Beginning } from './beginning.ts';
import { InputHash } from './input-hash.ts';
import { KeptLog } from './kept-log.ts';
import { lock } from './lock.ts';
import { readEarlier, readKept } from './previous-results.ts';
import { type Checkpoint, type Reopened, RunRecord } from './record.ts';
import type { Retried } from './retried.ts';
import { type RunOutput, recorded } from './run-output.ts';

export type { Beginning } from './beginning.ts';
export type { Living } from './record.ts';
export { readRecordedRun } from './recorded-run.ts';
export type { Following, RunOutput } from './run-output.ts';

/** Flags that concern resuming a run. */
export interface ResumeFlags {
  output?: string;
  /** True, or the run whose results in S3 are continued. */
  resume?: boolean | string;
  retryFailed?: Retried;
  overwrite?: boolean;
  ordered?: boolean;
}

/** @throws FanfoldError for flags that don't go together */
export function checkResume({
  output,
  resume,
  retryFailed,
  overwrite,
  ordered,
}: ResumeFlags): void {
  const refuse = (why: string) => {
    throw new FanfoldError('BadOption', why);
  };
  if (typeof resume === 'string') {
    refuse(
      `--resume ${resume}: results of this run are in S3, and this command's are not. Give the place of its results with --stack NAME --output s3://BUCKET/PREFIX/, or leave the run out to resume from a file.`,
    );
  }
  if (resume && output === undefined) {
    refuse('--resume needs the file with the results: name it with --output.');
  }
  if (resume && overwrite) {
    refuse(
      '--resume keeps the results in --output and --overwrite replaces them: give one of them.',
    );
  }
  if (retryFailed && !resume) refuse('--retry-failed works only with --resume: give both.');
  if (retryFailed && ordered) {
    refuse(
      '--retry-failed appends results out of order, so it cannot be combined with --ordered: leave one of them out.',
    );
  }
}

/**
 * Creates a run's output and its record.
 *
 * @param collector id of the collector that receives its results
 */
export async function begin(
  output: string | undefined,
  beginning: Beginning,
  collector: string = crypto.randomUUID(),
): Promise<RunOutput> {
  const opened = await openOutput(output);
  const hash = new InputHash(output ?? '');
  if (output === undefined || !opened.isFile) return recorded({ output: opened, hash });
  const locked = lock(output);
  // In this order, so that a record never lies beside the results of another run.
  RunRecord.remove(output);
  KeptLog.remove(output);
  await opened.empty();
  const record = RunRecord.create(output, beginning, collector);
  const log = new KeptLog(output);
  return recorded({ output: opened, hash, lock: locked, record, log, collector });
}

/** Whether a run has left an output or a record. */
export function hasBegun(output: string): boolean {
  return existsSync(output) || RunRecord.exists(output);
}

/** State that an earlier command left in its output and record. Nothing has been changed yet. */
export interface Left extends Reopened {
  output: string;
  lock: FileLock;
}

/** @throws FanfoldError when there is no record, it is another run's, or a command is writing it */
export async function reopen(output: string, beginning: Beginning): Promise<Left> {
  const locked = lock(output);
  try {
    return { output, lock: locked, ...RunRecord.reopen(output, beginning) };
  } catch (error) {
    locked.release();
    throw error;
  }
}

export interface GoingOn {
  /** Failed results to remove, so that they run again. Only for a run that is over. */
  retryFailed?: Retried | undefined;
  /** Whether `compare` has passed. Otherwise the inputs are compared while they are seeded. */
  isCompared?: boolean;
  /** State of the inputs if some were corrected. */
  anew?: Checkpoint | undefined;
}

/** Resumes a run's output. The inputs must have been compared, if they can be read again. */
export async function goOn(
  left: Left,
  { retryFailed, isCompared, anew }: GoingOn,
): Promise<RunOutput> {
  const { output, record, checkpoints, onBadInput } = left;
  let { living } = left;
  const { ledger, failures, again } = await readEarlier(output, retryFailed, () => {
    // A run that continues would not be seeded with these inputs again. So it is not resumed.
    if (living) record.addEnd();
    living = undefined;
  });
  const opened = await openOutput(output);
  if (onBadInput) record.addOnBadInput(onBadInput);
  // It does not know the results that follow.
  record.addReport(null);
  // The old results of corrected inputs are gone.
  if (anew) record.addAnew(anew);
  const hash = new InputHash(output, {
    expected: isCompared ? [] : checkpoints,
    // A run elsewhere that has all of its inputs takes no more.
    mayGrow: living === undefined,
    covered: record.covered,
  });
  const { lock, collector } = left;
  return recorded({
    ...{ output: opened, hash, lock, record, log: new KeptLog(output), living, collector },
    ...{ earlier: ledger, failures, again },
  });
}

/** Inputs, compared with those that a run was started with. */
export interface Compared {
  /** Number of inputs that are not new. */
  before: number;
  /** Number of inputs that were appended to those of a run that had read all of its own. */
  appended: number;
  /** State of the inputs if some were corrected. */
  anew: Checkpoint | undefined;
}

/**
 * Compares inputs with those that a run was started with, before any work is done.
 *
 * @param again results whose inputs run again: these inputs, and those without a result, may have
 * been corrected; undefined if a run elsewhere still has the earlier ones
 * @throws FanfoldError when other inputs differ
 */
export async function compare(
  { output, checkpoints }: Left,
  inputs: OpenedInputs,
  again: { retryFailed?: Retried | undefined } | undefined,
): Promise<Compared> {
  let kept: Promise<RunLedger> | undefined;
  const mayChange = async (index: number) => {
    kept ??= readKept(output, again?.retryFailed);
    return !(await kept).has(index);
  };
  const hash = new InputHash(output, {
    expected: checkpoints,
    locate: (index) => inputs.locate(index),
    ...(again && { mayChange }),
  });
  const hadAll = checkpoints.at(-1)?.end === true;
  try {
    for await (const _ of hash.watch(inputs.batches())) if (hash.compared && !hadAll) break;
  } finally {
    inputs.close();
  }
  const { appended, read } = hash;
  return { before: read - appended, appended, anew: hash.changed > 0 ? hash.take() : undefined };
}
