import { existsSync } from 'node:fs';
import { type Account, FanfoldError, type Ledger } from '../../index.ts';
import type { OpenedInputs } from '../inputs/index.ts';
import { type Output, openOutput } from '../output.ts';
import { readEarlier } from './earlier.ts';
import { InputHash } from './input-hash.ts';
import { type Beginning, type Checkpoint, type Living, RunRecord } from './record.ts';

export type { Beginning } from './record.ts';

/** What says how to go on with a run. */
export interface ResumeFlags {
  output?: string;
  resume?: boolean;
  retryFailed?: boolean;
  ordered?: boolean;
}

/** Where a run's results go, and what it takes to go on with it another time. */
export interface Recorded {
  /** The results that are there from before. */
  readonly earlier: Account | undefined;
  /** How many of them there were at the beginning. */
  readonly before: Ledger | undefined;
  /** The run that an earlier command began elsewhere, and left. */
  readonly living: Living | undefined;
  /** Whether it can be gone on with at all: not on standard output, nor on a device. */
  readonly resumable: boolean;
  /** Passes inputs on. To go on later, it must be known which they were. */
  watch(batches: AsyncIterable<string[]>): AsyncIterable<string[]>;
  /** Notes which run it is that goes on elsewhere, whatever becomes of this command. */
  noteRun(runId: string, place: string): void;
  /** Notes how many of its inputs, from the first, need not be seeded again. */
  noteSeeded(seeded: number): void;
  /** Ends when the results are written, and what tells which inputs they are of was before. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** @throws FanfoldError for flags that don't go together */
export function checkResume({ output, resume, retryFailed, ordered }: ResumeFlags): void {
  const refuse = (why: string) => {
    throw new FanfoldError('BadOption', why);
  };
  if (resume && output === undefined) {
    refuse('--resume goes on with the results in a file: name it with --output.');
  }
  if (retryFailed && !resume) refuse('--retry-failed is for --resume: give both.');
  if (retryFailed && ordered) {
    refuse('--retry-failed appends results, which are then not --ordered: leave one of them out.');
  }
}

/** Begins a run's output, with its record. */
export async function begin(output: string | undefined, beginning: Beginning): Promise<Recorded> {
  // The old results go first: a new record beside them would pass them off as the new run's.
  const opened = await openOutput(output, 'w');
  const lasting = output !== undefined && opened.isFile;
  const record = lasting ? RunRecord.create(output, beginning) : undefined;
  return recorded(opened, record, new InputHash(output ?? ''));
}

/** Whether a run has left results there. */
export function hasBegun(output: string): boolean {
  return existsSync(output) || RunRecord.exists(output);
}

/**
 * Goes on with a run's output.
 *
 * @param again the inputs once more, to be compared before any work is done; undefined where they
 *   can be read once only, and are compared as they come
 */
export async function goOn(
  output: string,
  beginning: Beginning,
  retryFailed: boolean,
  again: (() => Promise<OpenedInputs>) | undefined,
): Promise<Recorded> {
  const left = RunRecord.reopen(output, beginning);
  const { record, checkpoints } = left;
  if (again) await compare(output, checkpoints, await again());
  const earlier = await readEarlier(output, retryFailed);
  const opened = await openOutput(output, 'a');
  const hash = new InputHash(output, again ? [] : checkpoints);
  return recorded(opened, record, hash, earlier, left.living);
}

async function compare(output: string, checkpoints: readonly Checkpoint[], inputs: OpenedInputs) {
  const hash = new InputHash(output, checkpoints);
  try {
    for await (const _ of hash.watch(inputs.batches())) if (hash.compared) return;
  } finally {
    inputs.close();
  }
}

function recorded(
  output: Output,
  record: RunRecord | undefined,
  hash: InputHash,
  earlier?: Account,
  living?: Living,
): Recorded {
  let seeded = living?.seeded ?? 0;
  const cover = () => {
    if (record && !record.covers(hash.read, hash.ended)) record.add(hash.checkpoint);
  };
  return {
    earlier,
    before: earlier?.snapshot(),
    living,
    resumable: record !== undefined,
    watch: (batches) => (record ? hash.watch(batches) : batches),
    noteRun(runId, place) {
      record?.addRun(runId, place);
      seeded = 0;
    },
    noteSeeded(now) {
      if (now <= seeded) return;
      // What is seeded can't be exchanged for other inputs any more.
      cover();
      record?.addSeeded(now);
      seeded = now;
    },
    write(text) {
      cover();
      return output.write(text);
    },
    async close() {
      cover();
      record?.close();
      await output.close();
    },
  };
}
