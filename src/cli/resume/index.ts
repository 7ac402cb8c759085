import { existsSync } from 'node:fs';
import { FanfoldError } from '../../index.ts';
import type { FileLock } from '../../internal.ts';
import type { OpenedInputs } from '../inputs/index.ts';
import { openOutput } from '../output.ts';
import { InputHash } from './input-hash.ts';
import { KeptLog } from './kept-log.ts';
import { lock } from './lock.ts';
import { readEarlier } from './previous-results.ts';
import { type Beginning, type Reopened, RunRecord } from './record.ts';
import type { Retried } from './retried.ts';
import { type RunOutput, recorded } from './run-output.ts';

export type { Beginning, Living } from './record.ts';
export type { Following, RunOutput } from './run-output.ts';

/** Flags that concern resuming a run. */
export interface ResumeFlags {
  output?: string;
  resume?: boolean;
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
  return { output, lock: locked, ...RunRecord.reopen(output, beginning) };
}

export interface GoingOn {
  /** Failed results to remove, so that they run again. Only for a run that is over. */
  retryFailed?: Retried | undefined;
  /** Whether `compare` has passed. Otherwise the inputs are compared while they are seeded. */
  isCompared?: boolean;
}

/** Resumes a run's output. The inputs must have been compared, if they can be read again. */
export async function goOn(left: Left, { retryFailed, isCompared }: GoingOn): Promise<RunOutput> {
  const { output, record, checkpoints } = left;
  let { living } = left;
  const { ledger, failures, again } = await readEarlier(output, retryFailed, () => {
    // A run that continues would not be seeded with these inputs again. So it is not resumed.
    if (living) record.addEnd();
    living = undefined;
  });
  const opened = await openOutput(output);
  // A run elsewhere that has all of its inputs takes no more.
  const hash = new InputHash(output, isCompared ? [] : checkpoints, living === undefined);
  const { lock, collector } = left;
  return recorded({
    ...{ output: opened, hash, lock, record, log: new KeptLog(output), living, collector },
    ...{ earlier: ledger, failures, again },
  });
}

/**
 * Compares inputs with those that a run was started with, before any work is done.
 *
 * @returns number of inputs that were appended to those of a run that had read all of its own
 * @throws FanfoldError when the others differ
 */
export async function compare(
  { output, checkpoints }: Left,
  inputs: OpenedInputs,
): Promise<{ before: number; appended: number }> {
  const hash = new InputHash(output, checkpoints);
  const hadAll = checkpoints.at(-1)?.end === true;
  try {
    for await (const _ of hash.watch(inputs.batches())) if (hash.compared && !hadAll) break;
  } finally {
    inputs.close();
  }
  const { appended, read } = hash;
  return { before: read - appended, appended };
}
