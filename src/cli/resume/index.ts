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

/** What says how to go on with a run. */
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
 * Begins a run's output, with its record.
 *
 * @param collector who takes its results
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
  // One after the other: old results and a record that are not each other's must never be there.
  RunRecord.remove(output);
  await opened.empty();
  const record = RunRecord.create(output, beginning, collector);
  return recorded({ output: opened, hash, lock: locked, record, collector });
}

/** Whether a run has left results there. */
export function hasBegun(output: string): boolean {
  return existsSync(output) || RunRecord.exists(output);
}

/** What an earlier command left in its output and beside it; nothing is altered yet. */
export interface Left extends Reopened {
  output: string;
  lock: Lock;
}

/** @throws FanfoldError when there is no record of a run, it is another run's, or a command is writing it */
export async function reopen(output: string, beginning: Beginning): Promise<Left> {
  const locked = await lock(output);
  return { output, lock: locked, ...RunRecord.reopen(output, beginning) };
}

export interface GoingOn {
  /** Takes the failed results out. Only of a run that is over: its own inputs are not seeded again. */
  retryFailed?: boolean;
  /**
   * The inputs once more, to be compared before any work is done; undefined where they can be read
   * once only, and are compared as they come.
   */
  again?: (() => Promise<OpenedInputs>) | undefined;
}

/** Goes on with a run's output. */
export async function goOn(left: Left, { retryFailed, again }: GoingOn): Promise<RunOutput> {
  const { output, record, checkpoints } = left;
  let { living } = left;
  if (again) await compare(output, checkpoints, await again());
  const earlier = await readEarlier(output, retryFailed ?? false, () => {
    // A run that still went on would not be seeded with these again. Cancelled ones have none either.
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
