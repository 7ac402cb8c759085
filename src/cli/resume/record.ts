import {
  closeSync,
  existsSync,
  fdatasync,
  lstatSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { FanfoldError } from '../../index.ts';
import type { PackedReport } from '../../internal.ts';
import type { OnBadInput } from '../bad-inputs.ts';
import { type Beginning, checkBeginning, type Head, newOnBadInput, VERSION } from './beginning.ts';
import { headOf } from './head.ts';
import { logPathOf } from './kept-log.ts';
import { lockPathOf } from './lock.ts';

/** State of the inputs at some point of reading. */
export interface Checkpoint {
  /** Number of inputs read. */
  read: number;
  /** SHA-256 of these inputs, as JSON lines. */
  hash: string;
  /** Checksums of the inputs since the checkpoint before; absent in older records. */
  sums?: string;
  /** Whether these are all inputs. */
  end?: true;
  /** True if earlier checkpoints no longer count, since failed inputs were corrected. */
  anew?: true;
}

/** A run elsewhere, which continues without the command that started it. */
export interface Living {
  runId: string;
  /** Name of the place where it runs. */
  place: string;
  /** Number of inputs, from the first, that are certainly seeded. */
  seeded: number;
}

/** State that an earlier command left in a record. */
export interface Reopened {
  record: RunRecord;
  checkpoints: Checkpoint[];
  /** The last run that was started, if it may continue by itself. */
  living: Living | undefined;
  /** Id of this output's collector; undefined in older records. */
  collector: string | undefined;
  /** Handling of bad inputs from now on, if it is another one than before. */
  onBadInput: OnBadInput | undefined;
}

/**
 * State that is needed, besides the results, to resume a run: a file beside its output,
 * `<output>.run`. The first line identifies the run's settings. Each further line is a checkpoint,
 * written before the first result of an input that no checkpoint covers yet; if the run is
 * elsewhere, before that input is seeded. So however the process ends, the inputs of every result
 * can be verified. For a run elsewhere, other lines hold its id and the number of seeded inputs. An
 * incomplete last line is ignored.
 */
export class RunRecord {
  readonly #path: string;
  readonly #file: number;
  #last: Checkpoint;
  #failure: FanfoldError | undefined;
  #synced = false;

  private constructor(path: string, file: number, last: Checkpoint) {
    this.#path = path;
    this.#file = file;
    this.#last = last;
  }

  static exists(output: string): boolean {
    return existsSync(pathOf(output));
  }

  /** Paths of the files that a run may create for this output. */
  static filesOf(output: string): string[] {
    return [output, pathOf(output), logPathOf(output), partOf(output), lockPathOf(output)];
  }

  /** @throws FanfoldError when the record's path has another program's file */
  static check(output: string): void {
    const path = pathOf(output);
    // A dangling link counts too.
    if (!lstatSync(path, { throwIfNoEntry: false }) || isRecord(path)) return;
    throw new FanfoldError(
      'BadOption',
      `--output ${output} needs ${path} for its record, but that file is not a record of fanfold. Move it, or name another file.`,
    );
  }

  /** Id of the run elsewhere that a readable record holds. */
  static runOf(output: string): string | undefined {
    try {
      const lines = readFileSync(pathOf(output), 'utf8').split('\n').slice(1, -1);
      return livingIn(lines.map((line): Line => JSON.parse(line)))?.runId;
    } catch {
      return undefined;
    }
  }

  static remove(output: string): void {
    const path = pathOf(output);
    RunRecord.check(output);
    try {
      rmSync(path, { force: true });
    } catch (cause) {
      throw unwritable(path, cause);
    }
  }

  static create(output: string, beginning: Beginning, collector: string): RunRecord {
    const path = pathOf(output);
    const record = new RunRecord(path, opened(path, 'w'), { read: 0, hash: '' });
    try {
      record.#write({ v: VERSION, ...beginning, collector });
    } catch (error) {
      // An empty file could not be recognized as a record.
      record.close();
      rmSync(path, { force: true });
      throw error;
    }
    return record;
  }

  /** @throws FanfoldError when there is none, or it is another run's */
  static reopen(output: string, beginning: Beginning): Reopened {
    const path = pathOf(output);
    const [head, ...lines] = readLines(path, output) as [Head, ...Line[]];
    checkBeginning(output, head, beginning);
    const all = lines.filter((line) => 'read' in line);
    const checkpoints = all.slice(
      Math.max(
        0,
        all.findLastIndex(({ anew }) => anew),
      ),
    );
    const onBadInput = newOnBadInput(output, [head, ...lines], beginning);
    const last = checkpoints.at(-1) ?? { read: 0, hash: '' };
    const record = new RunRecord(path, opened(path, 'a'), last);
    const { collector } = head;
    return { record, checkpoints, living: livingIn(lines), collector, onBadInput };
  }

  /** Number of inputs that the last checkpoint covers. */
  get covered(): number {
    return this.#last.read;
  }

  /** Whether the last checkpoint covers these inputs already. */
  covers(read: number, end: boolean): boolean {
    return this.#last.read >= read && (this.#last.end === true || !end);
  }

  add(checkpoint: Checkpoint): void {
    this.#write(checkpoint);
    this.#last = checkpoint;
  }

  /** Replaces all checkpoints: the inputs were corrected. */
  addAnew(checkpoint: Checkpoint): void {
    this.add({ ...checkpoint, anew: true });
  }

  addOnBadInput(onBadInput: OnBadInput): void {
    this.#write({ onBadInput });
  }

  addRun(runId: string, place: string): void {
    this.#write({ runId, place });
  }

  /** Notes that the last run must not be resumed, even if it still exists. */
  addEnd(): void {
    this.#write({ over: true });
  }

  addSeeded(seeded: number): void {
    this.#write({ seeded });
  }

  /** Keeps the report of the run, which later commands may show; null for none any more. */
  addReport(report: PackedReport | null): void {
    this.#write({ report });
  }

  /** Resolves once the whole record would survive a power failure. */
  async sync(): Promise<void> {
    if (this.#synced) return;
    this.#synced = true;
    await promisify(fdatasync)(this.#file).catch((cause: Error) => {
      throw unwritable(this.#path, cause);
    });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: object): void {
    // After an incomplete line, further text would become part of that line.
    if (this.#failure) throw this.#failure;
    this.#synced = false;
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      // A nearly full disk accepts a part, and fails at the next write.
      for (let from = 0; from < bytes.length; ) from += writeSync(this.#file, bytes, from);
    } catch (cause) {
      this.#failure = unwritable(this.#path, cause);
      throw this.#failure;
    }
  }
}

type Line =
  | Checkpoint
  | Omit<Living, 'seeded'>
  | Pick<Living, 'seeded'>
  | { over: true }
  | { onBadInput: OnBadInput };

/** The last run elsewhere, unless it must not be resumed. */
function livingIn(lines: readonly Line[]): Living | undefined {
  let living: Living | undefined;
  for (const line of lines) {
    if ('runId' in line) living = { ...line, seeded: 0 };
    else if ('over' in line) living = undefined;
    else if ('seeded' in line && living) living.seeded = line.seeded;
  }
  return living;
}

function pathOf(output: string): string {
  return `${output}.run`;
}

/** Path of the temporary file in which a run's results are rewritten. */
export function partOf(output: string): string {
  return `${output}.part`;
}

/**
 * Recognizes a record by its first line, of which a power failure may have left only a part. An
 * empty file may be another program's.
 */
function isRecord(path: string): boolean {
  const head = headOf(path);
  if (!head) return false;
  const [line = '', rest] = head.split('\n', 2);
  const beginning = `{"v":${VERSION},"task":"`;
  if (rest === undefined) return line.startsWith(beginning) || beginning.startsWith(line);
  try {
    const { v, task, ordered, withInput } = JSON.parse(line);
    const flags = [typeof ordered, typeof withInput];
    return typeof v === 'number' && typeof task === 'string' && flags.every((t) => t === 'boolean');
  } catch {
    return false;
  }
}

function opened(path: string, flags: 'a' | 'w'): number {
  try {
    return openSync(path, flags);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): FanfoldError {
  const why = `${path}, which is needed to resume the run, could not be written: ${(cause as Error).message}.`;
  return new FanfoldError('RunFailed', why, { cause });
}

/** Reads the record's lines, and cuts off an incomplete last one. */
function readLines(path: string, output: string): object[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FanfoldError(
      'BadOption',
      missing
        ? `--resume: there is no ${path}, the record that a run keeps beside its output, so ${output} cannot be resumed. Leave it out to start a run.`
        : `--resume: ${path} cannot be read: ${(cause as Error).message}.`,
      { cause },
    );
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  try {
    const lines = whole.split('\n').slice(0, -1);
    if (lines.length > 0) return lines.map((line): object => JSON.parse(line));
  } catch {
    // The error below reports it.
  }
  throw new FanfoldError(
    'BadOption',
    `--resume: ${path} is not the record of a run. Give --overwrite in its place to start again.`,
  );
}
