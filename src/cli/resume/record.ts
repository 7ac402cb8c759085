import {
  closeSync,
  existsSync,
  fdatasync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { FanfoldError } from '../../index.ts';

/** What a run that is gone on with must have in common with the one that began. */
export interface Beginning {
  task: string;
  ordered: boolean;
  withInput: boolean;
}

/** The inputs as far as they had been read at some time. */
export interface Checkpoint {
  /** How many, from the first. */
  read: number;
  /** SHA-256 over them, as JSON lines. */
  hash: string;
  /** Whether these were all. */
  end?: true;
}

/** A run elsewhere, which goes on without the command that began it. */
export interface Living {
  runId: string;
  /** Where it is. */
  place: string;
  /** How many inputs, from the first, were seeded for certain. */
  seeded: number;
}

/** What an earlier command left. */
export interface Reopened {
  record: RunRecord;
  checkpoints: Checkpoint[];
  /** The run that was begun last, where it may go on by itself. */
  living: Living | undefined;
  /** Whoever takes results for this output is known by it; of an older record it is not known. */
  collector: string | undefined;
}

const VERSION = 1;

/**
 * What is needed, besides the results, to go on with a run: a file beside its output, `<output>.run`.
 * A line says what run it is, and each further one is a checkpoint, written before the first result
 * of an input that the one before does not cover, or where the run is elsewhere before it is seeded.
 * So whatever became of the process, every result is of inputs that can be told from others. Of a
 * run that is elsewhere there are lines that say which it is and how far it was seeded. Half a line at the end is one that was not written.
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

  /** The files that a run makes for this output. */
  static filesOf(output: string): string[] {
    return [output, pathOf(output), partOf(output)];
  }

  /** @throws FanfoldError when something else than a record is in its place */
  static check(output: string): void {
    const path = pathOf(output);
    // A link to nowhere is there too.
    if (!lstatSync(path, { throwIfNoEntry: false }) || isRecord(path)) return;
    throw new FanfoldError(
      'BadOption',
      `--output ${output} keeps its record in ${path}, and what is there is not a record of fanfold's. Move it, or name another file.`,
    );
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
      // Nobody could tell an empty file from another's.
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
    compare(output, head, beginning);
    const checkpoints: Checkpoint[] = [];
    let living: Living | undefined;
    for (const line of lines) {
      if ('read' in line) checkpoints.push(line);
      else if ('runId' in line) living = { ...line, seeded: 0 };
      else if ('over' in line) living = undefined;
      else if (living) living.seeded = line.seeded;
    }
    const last = checkpoints.at(-1) ?? { read: 0, hash: '' };
    const record = new RunRecord(path, opened(path, 'a'), last);
    return { record, checkpoints, living, collector: head.collector };
  }

  /** How many inputs, from the first, the last checkpoint is of. */
  get covered(): number {
    return this.#last.read;
  }

  /** Whether the last checkpoint says so much already. */
  covers(read: number, end: boolean): boolean {
    return this.#last.read >= read && (this.#last.end === true || !end);
  }

  add(checkpoint: Checkpoint): void {
    this.#write(checkpoint);
    this.#last = checkpoint;
  }

  addRun(runId: string, place: string): void {
    this.#write({ runId, place });
  }

  /** The run that was begun last is not to be gone on with, whether or not it is there still. */
  addEnd(): void {
    this.#write({ over: true });
  }

  addSeeded(seeded: number): void {
    this.#write({ seeded });
  }

  /** Ends when all of it outlives a power cut. */
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
    // What came after half a line would be a part of it.
    if (this.#failure) throw this.#failure;
    this.#synced = false;
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      // A disk that is nearly full takes a part, and says at the next that it is full.
      for (let from = 0; from < bytes.length; ) from += writeSync(this.#file, bytes, from);
    } catch (cause) {
      this.#failure = unwritable(this.#path, cause);
      throw this.#failure;
    }
  }
}

type Head = Beginning & { v: number; collector?: string };
type Line = Checkpoint | Omit<Living, 'seeded'> | Pick<Living, 'seeded'> | { over: true };

function pathOf(output: string): string {
  return `${output}.run`;
}

/** Where a run's results are rewritten. */
export function partOf(output: string): string {
  return `${output}.part`;
}

/** More than the first line of a record takes. */
const HEAD_BYTES = 4_096;

/** By its first line, of which a power cut may leave a part. An empty file may be anybody's. */
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

/** The beginning of a regular file that can be read; undefined of anything else. */
export function headOf(path: string): string | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(HEAD_BYTES);
      return bytes.toString('utf8', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
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

/** The record's whole lines; what comes after them is cut off. */
function readLines(path: string, output: string): object[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FanfoldError(
      'BadOption',
      missing
        ? `--resume: there is no ${path}, the record that a run keeps beside its output, so ${output} cannot be resumed. Leave out --resume to start a run.`
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
    // Told below.
  }
  throw new FanfoldError(
    'BadOption',
    `--resume: ${path} is not the record of a run. Leave out --resume to start again.`,
  );
}

function compare(output: string, head: Head, { task, ordered, withInput }: Beginning): void {
  const refuse = (why: string) => {
    throw new FanfoldError('BadOption', `--resume: ${output} ${why}`);
  };
  if (head.v !== VERSION) {
    refuse(
      `was started by another version of fanfold: its record has version ${head.v}, and this one reads version ${VERSION}.`,
    );
  }
  if (head.task !== task) refuse(`has results of the task "${head.task}", not of "${task}".`);
  if (head.ordered !== ordered) {
    refuse(
      `was started ${head.ordered ? 'with' : 'without'} --ordered: resume it in the same way.`,
    );
  }
  if (head.withInput !== withInput) {
    refuse(
      `was started ${head.withInput ? 'with' : 'without'} --with-input: resume it in the same way.`,
    );
  }
}
