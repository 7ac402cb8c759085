import type { Ledger, Run, RunLedger } from '../../index.ts';
import type { FileLock } from '../../internal.ts';
import { FailureKinds, type PackedReport } from '../../internal.ts';
import type { Output } from '../output.ts';
import type { InputHash } from './input-hash.ts';
import type { KeptLog } from './kept-log.ts';
import type { Living, RunRecord } from './record.ts';

/** A run's output, and the state that is needed to resume the run. */
export interface RunOutput {
  /** The results that the output already had; undefined for a new output. */
  readonly earlier: RunLedger | undefined;
  /** Counts of `earlier` when the output was opened. */
  readonly before: Ledger | undefined;
  /** The failures among the output's results. */
  readonly failures: FailureKinds;
  /** Number of inputs that had failed and run again. */
  readonly again: number;
  /** The run that an earlier command started elsewhere and left. */
  readonly living: Living | undefined;
  /** Collector id that all commands for this output use; undefined if it can't be resumed. */
  readonly collector: string | undefined;
  /** Number of inputs, from the first, that an earlier command may have seeded. */
  readonly known: number;
  /** Keeps the log lines of a run on this machine; undefined if the output can't be resumed. */
  readonly log: KeptLog | undefined;
  /** Whether the run can be resumed: not if the output is standard output or a device. */
  readonly resumable: boolean;
  /**
   * Passes inputs on and records them, so that the run can be resumed. For a run in this process,
   * that happens before their results are written; for a run elsewhere, before they are seeded,
   * since their results appear even if this command ends.
   */
  watch(batches: AsyncIterable<string[]>, isElsewhere: boolean): AsyncIterable<string[]>;
  /** Records the id of a run that continues elsewhere, even if this command ends. */
  follow(run: Run, place: string): Following;
  /**
   * Resolves once the results are written, after those of earlier calls. The checkpoint of their
   * inputs is written before.
   */
  write(text: string): Promise<void>;
  /** Keeps the report of the run beside the output. */
  keepReport(report: PackedReport): void;
  /** Number of whole lines that a failed write has written. */
  readonly leftLines: number;
  close(): Promise<void>;
}

/** Records, twice a second, how many inputs of a run elsewhere need not be seeded again. */
export interface Following {
  /** Records it now. @throws the error of any failed write, after which the run has been left */
  check(): void;
  /** Calls `write`. If that throws, leaves the run, and makes `check` throw the error. */
  attempt(write: () => void): boolean;
  stop(): void;
}

/** Interval for recording the number of seeded inputs, in milliseconds. */
const NOTE_MS = 500;

export interface RecordedOptions {
  output: Output;
  hash: InputHash;
  /** Lock, record and log of a file; absent for other outputs. */
  lock?: FileLock;
  record?: RunRecord;
  log?: KeptLog;
  /** State that an earlier command left. */
  earlier?: RunLedger;
  failures?: FailureKinds;
  again?: number;
  living?: Living | undefined;
  collector?: string | undefined;
}

export function recorded(options: RecordedOptions): RunOutput {
  const { output, hash, lock, record, log, earlier, living, collector } = options;
  const { failures = new FailureKinds(), again = 0 } = options;
  let followed: Following | undefined;
  const cover = () => {
    if (record && !record.covers(hash.read, hash.ended)) record.add(hash.take());
  };
  /** Returns false if the write failed and the run has been left. */
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
  const writeNow = async (text: string) => {
    cover();
    await output.write(text);
    // For a run elsewhere, a result must be on disk before it is deleted from its queue.
    if (followed) await Promise.all([output.sync(), record?.sync()]);
  };
  let writing = Promise.resolve();
  return {
    earlier,
    before: earlier?.snapshot(),
    failures,
    again,
    living,
    collector,
    known: record?.covered ?? 0,
    log,
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
    write(text) {
      // The reader of inputs writes the results of bad ones itself.
      writing = writing.then(() => writeNow(text));
      return writing;
    },
    keepReport: (report) => record?.addReport(report),
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

/** @param seeded number of seeded inputs that is already recorded */
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
