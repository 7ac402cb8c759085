import type { Ledger, Run, RunLedger } from '../../index.ts';
import type { Output } from '../output.ts';
import type { InputHash } from './input-hash.ts';
import type { Lock } from './lock.ts';
import type { Living, RunRecord } from './record.ts';

/** Where a run's results go, and what it takes to go on with it another time. */
export interface RunOutput {
  /** The results that are there from before. */
  readonly earlier: RunLedger | undefined;
  /** How many of them there were at the beginning. */
  readonly before: Ledger | undefined;
  /** The run that an earlier command began elsewhere, and left. */
  readonly living: Living | undefined;
  /** Who takes its results, whichever command that is; undefined where none can come back to it. */
  readonly collector: string | undefined;
  /** How many inputs, from the first, an earlier command may have seeded. */
  readonly known: number;
  /** Whether it can be gone on with at all: not on standard output, nor on a device. */
  readonly resumable: boolean;
  /**
   * Passes inputs on. To go on later, it must be known which they were: here, before their results
   * are written; elsewhere, before they are seeded, as their results are made whatever becomes of us.
   */
  watch(batches: AsyncIterable<string[]>, isElsewhere: boolean): AsyncIterable<string[]>;
  /** Records which run it is that goes on elsewhere, whatever becomes of this command. */
  follow(run: Run, place: string): Following;
  /** Ends when the results are written, and what tells which inputs they are of was before. */
  write(text: string): Promise<void>;
  /** Whole lines of its text that a failed write has left. */
  readonly leftLines: number;
  close(): Promise<void>;
}

/** Notes, twice a second, how many inputs of a run elsewhere, from the first, need not be seeded again. */
export interface Following {
  /** Notes it now. @throws what kept any note from being written; the run has been left by then */
  check(): void;
  /** Does what writes to the record. Where it throws, the run is left, and `check` throws it. */
  attempt(write: () => void): boolean;
  stop(): void;
}

/** How often it is noted how far a run is seeded, in milliseconds. */
const NOTE_MS = 500;

export interface RecordedOptions {
  output: Output;
  hash: InputHash;
  /** Of a file: that nobody else writes it, and its record. */
  lock?: Lock;
  record?: RunRecord;
  /** What an earlier command left. */
  earlier?: RunLedger;
  living?: Living | undefined;
  collector?: string | undefined;
}

export function recorded(options: RecordedOptions): RunOutput {
  const { output, hash, lock, record, earlier, living, collector } = options;
  let followed: Following | undefined;
  const cover = () => {
    if (record && !record.covers(hash.read, hash.ended)) record.add(hash.checkpoint);
  };
  /** False when the disk did not take it, and the run has been left. */
  const covers = (): boolean => {
    if (followed) return followed.attempt(cover);
    cover();
    return true;
  };
  async function* covered(batches: AsyncIterable<string[]>) {
    for await (const batch of hash.watch(batches)) {
      if (!covers()) return;
      yield batch;
    }
    covers();
  }
  return {
    earlier,
    before: earlier?.snapshot(),
    living,
    collector,
    known: record?.covered ?? 0,
    resumable: record !== undefined,
    watch(batches, isElsewhere) {
      if (!record) return batches;
      return isElsewhere ? covered(batches) : hash.watch(batches);
    },
    follow(run, place) {
      const isKnown = living?.runId === run.runId;
      if (!isKnown) record?.addRun(run.runId, place);
      followed = following(run, isKnown ? living.seeded : 0, (seeded) => record?.addSeeded(seeded));
      return followed;
    },
    get leftLines() {
      return output.leftLines;
    },
    async write(text) {
      cover();
      await output.write(text);
      // Where its queue is elsewhere, a result that is deleted from it must not be lost here.
      if (followed) await Promise.all([output.sync(), record?.sync()]);
    },
    async close() {
      try {
        cover();
      } finally {
        record?.close();
        await output.close().finally(() => lock?.release());
      }
    },
  };
}

/** @param seeded how far was noted before */
function following(run: Run, seeded: number, add: (seeded: number) => void): Following {
  let noted = seeded;
  let failure: { error: unknown } | undefined;
  const attempt = (write: () => void): boolean => {
    if (failure) return false;
    try {
      write();
      return true;
    } catch (error) {
      failure = { error };
      run.leave();
      return false;
    }
  };
  const note = () => {
    const { seeded: now } = run;
    if (now > noted && attempt(() => add(now))) noted = now;
  };
  const timer = setInterval(note, NOTE_MS);
  return {
    check() {
      note();
      if (failure) throw failure.error;
    },
    attempt,
    stop() {
      clearInterval(timer);
      note();
    },
  };
}
