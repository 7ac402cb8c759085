import { existsSync } from 'node:fs';
import { FanfoldError } from '../../index.ts';
import type { OpenedInputs } from '../inputs/index.ts';
import { openOutput } from '../output.ts';
import { InputHash } from './input-hash.ts';
import { type Lock, lock } from './lock.ts';
import { readEarlier } from './previous-results.ts';
import { type Beginning, type Checkpoint, type Reopened, RunRecord } from './record.ts';
import { type RunOutput, recorded } from './run-output.ts';

export type { Beginning, Living } from './record.ts';
export type { Following, RunOutput } from './run-output.ts';

/** Flags that concern resuming a run. */
export interface ResumeFlags {
  output?: string;
  resume?: boolean;
  retryFailed?: boolean;
  ordered?: boolean;
}

/** @throws FanfoldError for flags that don't go together */
export function checkResume({ output, resume, retryFailed, ordered }: ResumeFlags): void {
  const refuse = (why: string) => {
    throw new FanfoldError('BadOption', why);
  };
  if (resume && output === undefined) {
    refuse('--resume needs the file that holds the results: name it with --output.');
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
  const locked = await lock(output);
  // In this order, so that a record never lies beside the results of another run.
  RunRecord.remove(output);
  await opened.empty();
  const record = RunRecord.create(output, beginning, collector);
  return recorded({ output: opened, hash, lock: locked, record, collector });
}

/** Whether a run has left an output or a record. */
export function hasBegun(output: string): boolean {
  return existsSync(output) || RunRecord.exists(output);
}

/** State that an earlier command left in its output and record. Nothing has been changed yet. */
export interface Left extends Reopened {
  output: string;
  lock: Lock;
}

/** @throws FanfoldError when there is no record, it is another run's, or a command is writing it */
export async function reopen(output: string, beginning: Beginning): Promise<Left> {
  const locked = await lock(output);
  return { output, lock: locked, ...RunRecord.reopen(output, beginning) };
}

export interface GoingOn {
  /** Removes failed results, so that they run again. Only for a run that is over. */
  retryFailed?: boolean;
  /**
   * Reopens the inputs, to compare them before any work is done; undefined if they can be read only
   * once, and so are compared while they are seeded.
   */
  again?: (() => Promise<OpenedInputs>) | undefined;
}

/** Resumes a run's output. */
export async function goOn(left: Left, { retryFailed, again }: GoingOn): Promise<RunOutput> {
  const { output, record, checkpoints } = left;
  let { living } = left;
  if (again) await compare(output, checkpoints, await again());
  const earlier = await readEarlier(output, retryFailed ?? false, () => {
    // A run that continues would not be seeded with these inputs again. So it is not resumed.
    if (living) record.addEnd();
    living = undefined;
  });
  const opened = await openOutput(output);
  const hash = new InputHash(output, again ? [] : checkpoints);
  const { lock, collector } = left;
  return recorded({ output: opened, hash, lock, record, earlier, living, collector });
}

async function compare(output: string, checkpoints: readonly Checkpoint[], inputs: OpenedInputs) {
  const hash = new InputHash(output, checkpoints);
  try {
    for await (const _ of hash.watch(inputs.batches())) if (hash.compared) return;
  } finally {
    inputs.close();
  }
}
