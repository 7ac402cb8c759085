import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { FanfoldError, type LogLine } from '../../index.ts';
import { say } from '../log.ts';
import { headOf } from './head.ts';
import { linesOf } from './result-lines.ts';
import { wholeLines } from './whole-lines.ts';

/** Size from which nothing more is kept, in bytes. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Lines of one attempt that are kept: an input that logs without end must not take all the room. */
const MOST_LINES = 1_000;

/** Path of the file that keeps the log lines of an output's inputs. */
export function logPathOf(output: string): string {
  return `${output}.run.logs`;
}

/** @throws FanfoldError when another program's file is in the place of the log */
export function checkLog(output: string): void {
  const path = logPathOf(output);
  if (!lstatSync(path, { throwIfNoEntry: false }) || isLog(path)) return;
  throw new FanfoldError(
    'BadOption',
    `--output ${output} needs ${path} for the log lines of tasks, but that file was not written by fanfold. Move it, or name another file.`,
  );
}

/** A killed command may have left an empty file. */
function isLog(path: string): boolean {
  const head = headOf(path);
  return head !== undefined && (head === '' || head.startsWith('{"time":"'));
}

/**
 * The log lines of inputs, beside the output of a local run. The file is created for the first line,
 * and commands that resume the run append to it. It is bounded: a line tells where others were
 * dropped.
 */
export class KeptLog {
  readonly #output: string;
  readonly #mostBytes: number;
  readonly #waiting: string[] = [];
  #file: number | undefined;
  #size = 0;
  /** True until the file is full, can't be written, or is closed. */
  #isOpen = true;

  constructor(output: string, mostBytes = MOST_BYTES) {
    this.#output = output;
    this.#mostBytes = mostBytes;
  }

  /** Removes the log of an earlier run. */
  static remove(output: string): void {
    checkLog(output);
    rmSync(logPathOf(output), { force: true });
  }

  /** Keeps a line, if it is an input's. It is in the file after this turn of the event loop. */
  add(line: LogLine): void {
    const { index, line: number = 0 } = line;
    if (!this.#isOpen || index === undefined || number > MOST_LINES + 1) return;
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    const kept = number > MOST_LINES ? endOf(line) : line;
    this.#waiting.push(`${JSON.stringify(kept)}\n`);
  }

  /** Writes the lines that wait. */
  flush(): void {
    const text = this.#waiting.splice(0).join('');
    if (text === '' || !this.#isOpen) return;
    try {
      this.#file ??= this.#open();
      if (this.#size + text.length < this.#mostBytes) this.#write(text);
      else this.#fill();
    } catch (error) {
      this.#isOpen = false;
      const { message } = error as Error;
      say(`${logPathOf(this.#output)} cannot be written, so log lines are not kept: ${message}`);
    }
  }

  /** The first of some inputs that has log lines. */
  async firstOf(indexes: readonly number[]): Promise<number | undefined> {
    this.flush();
    const found = new Set<number>();
    for await (const { line } of keptLines(this.#output, indexes)) {
      if (line.index === indexes[0]) return line.index;
      if (line.index !== undefined) found.add(line.index);
    }
    return indexes.find((index) => found.has(index));
  }

  close(): void {
    this.flush();
    this.#isOpen = false;
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): number {
    const file = openSync(logPathOf(this.#output), 'a+');
    this.#size = fstatSync(file).size;
    const last = Buffer.alloc(1);
    // A killed command may have left a part of a line.
    if (this.#size > 0 && readSync(file, last, 0, 1, this.#size - 1) === 1 && last[0] !== 0x0a) {
      writeSync(file, '\n');
    }
    return file;
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    for (let from = 0; from < bytes.length; ) {
      from += writeSync(this.#file as number, bytes, from);
    }
    this.#size += bytes.length;
  }

  #fill(): void {
    const full: FullLine = {
      time: new Date().toISOString(),
      full: true,
    };
    this.#write(`${JSON.stringify(full)}\n`);
    this.#isOpen = false;
  }
}

/** Last line of a log that is full. */
interface FullLine {
  time: string;
  full: true;
}

/** The line that stands for the further ones of an attempt. */
function endOf({ fields: _, ...line }: LogLine): LogLine {
  const message = `Only the first ${MOST_LINES.toLocaleString('en')} lines of this attempt are kept: the others were dropped.`;
  return { ...line, level: 'warn', message };
}

/** A line of a kept log, and its JSON. */
interface KeptLine {
  line: Partial<LogLine> & Partial<FullLine>;
  text: string;
}

/** Reads the lines of some inputs, and those without an input, such as that of a full log. */
export async function* keptLines(
  output: string,
  indexes: readonly number[],
): AsyncGenerator<KeptLine, void> {
  if (!existsSync(logPathOf(output))) return;
  const keys = [...indexes.map((index) => `"index":${index},`), '"full":true'];
  const wanted = new Set<number | undefined>([undefined, ...indexes]);
  for await (const block of wholeLines(logPathOf(output))) {
    if (!keys.some((key) => block.includes(key))) continue;
    for (const text of linesOf(block)) {
      if (!keys.some((key) => text.includes(key))) continue;
      const line = lineOf(text);
      // The key may be in a message, or in the fields.
      if (line && wanted.has(line.index)) yield { line, text };
    }
  }
}

/** Undefined for a part of a line, which a killed command has left. */
function lineOf(text: string): KeptLine['line'] | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
