import { isUtf8 } from 'node:buffer';
import { FanfoldError } from '../errors.ts';
import { conversion, foreign, HEAD_BYTES } from './foreign.ts';

/** A position between two inputs, at which reading can resume. */
export interface Position {
  /** Number of bytes before it. */
  byte: number;
  /** Number of the line that starts there, from 1. */
  line: number;
  /** Field names of a CSV header. */
  keys?: string[] | undefined;
}

/** A line or row that is not an input. */
export interface BadLine {
  /** Index that its input would have. */
  index: number;
  /** Such as `inputs.csv, line 3`. */
  place: string;
  text: string;
  /** What is wrong, with the place. */
  reason: string;
}

/** Decides on bad lines. */
export interface BadLines {
  /** Returns JSON text that takes the line's place, or undefined to leave it out. */
  take(bad: BadLine): string | undefined;
}

export const BEGINNING: Position = { byte: 0, line: 1 };

/** A source of lines. */
export interface Source {
  /** Its name in messages. */
  readonly name: string;
  /** Position at which its chunks begin. @default the beginning */
  readonly from?: Position | undefined;
  /** Path of a file, as it was given. */
  readonly path?: string;
  /** Largest input, in bytes. */
  readonly maxInputBytes: number;
  /** Without it, the first bad line ends the reading with an error. */
  readonly bad?: BadLines | undefined;
  /** Sentence that says how to go on after that error. */
  readonly remedy?: string | undefined;
  chunks(): AsyncIterable<Buffer>;
  close(): void;
}

/** Text that ends at the end of a line, and the number of its first line. */
export interface Block {
  text: string;
  /** From 1. */
  firstLine: number;
  /** Number of the source's bytes before the end of the text. */
  endByte: number;
  /** The errors of lines that are not text, or too long, by their numbers. */
  bad?: ReadonlyMap<number, FanfoldError>;
  /** Whether it is the beginning of one line, the rest of which was too long. */
  isCut?: boolean;
}

/**
 * Hands a bad line to the source's `bad`, and returns what takes its place.
 *
 * @throws the line's error, if the source has no `bad`
 */
export function replaced(
  error: unknown,
  source: Source,
  { index, line, text }: { index: number; line: number; text: string },
): string | undefined {
  if (source.bad === undefined) throw remedied(error, source);
  if (!(error instanceof FanfoldError)) throw error;
  return source.bad.take({
    index,
    place: `${source.name}, line ${line}`,
    text,
    reason: error.message,
  });
}

/** The error of a bad line that ends the reading. */
export function remedied(error: unknown, { remedy }: Source): unknown {
  if (remedy === undefined || !(error instanceof FanfoldError)) return error;
  return new FanfoldError(error.code, withRemedy(error.message, remedy), { cause: error });
}

/** A sentence and a remedy, unless it ends with the command that is one. */
export function withRemedy(why: string, remedy: string): string {
  if (why.includes(' with: ')) return why;
  return `${why}${why.endsWith('.') ? '' : '.'} ${remedy}`;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BOM = Buffer.from('\ufeff');

/** Bytes around the largest input on its line: a byte order mark and a line's end. */
const AROUND_BYTES = BOM.length + 1;

/** Bytes that are kept of a line that is too long. */
const CUT_BYTES = 4_096;

/**
 * A source's text in blocks of whole lines, decoded strictly. The search for the end of a line
 * stops at the length of the largest input.
 */
export async function* blocksOf(source: Source): AsyncGenerator<Block, void> {
  const { maxInputBytes, from } = source;
  let firstLine = from?.line ?? 1;
  let endByte = from?.byte ?? 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  /** The first bytes of the whole source; empty if reading resumes within it. */
  let head = Buffer.alloc(0);
  const isWhole = endByte === 0;
  let started = !isWhole;
  const block = (bytes: Buffer): Block => {
    const whole = started ? bytes : withoutBom(bytes);
    started = true;
    const bad = isText(whole) ? undefined : badLines(whole, head, source, firstLine);
    endByte += bytes.length;
    const made = { text: whole.toString(), firstLine, endByte, ...(bad ? { bad } : {}) };
    firstLine += newlines(whole);
    return made;
  };
  /** The beginning of a line that is too long, and its length so far. */
  let long: { beginning: Buffer; bytes: number } | undefined;
  const longBlock = ({ beginning, bytes }: { beginning: Buffer; bytes: number }): Block => {
    started = true;
    endByte += bytes;
    const bad = new Map([[firstLine, tooLong(source, firstLine)]]);
    return { text: beginning.toString(), firstLine: firstLine++, endByte, bad, isCut: true };
  };
  for await (const read of source.chunks()) {
    let chunk = read;
    if (long !== undefined) {
      const length = chunk.indexOf(NEWLINE) + 1;
      long.bytes += length || chunk.length;
      if (length === 0) continue;
      yield longBlock(long);
      long = undefined;
      chunk = chunk.subarray(length);
    }
    if (isWhole && head.length < HEAD_BYTES) {
      head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      yield block(
        rest.length > 0 ? Buffer.concat([...rest, chunk.subarray(0, end)]) : chunk.subarray(0, end),
      );
      rest = [];
      restBytes = 0;
    }
    if (end < chunk.length) rest.push(chunk.subarray(end));
    restBytes += chunk.length - end;
    if (restBytes > maxInputBytes + AROUND_BYTES) {
      const wrong = foreign(head, source);
      if (wrong === undefined && !started) checkOneLine(Buffer.concat(rest), source);
      if (wrong !== undefined || source.bad === undefined)
        throw wrong ?? tooLong(source, firstLine);
      const beginning = Buffer.from(Buffer.concat(rest).subarray(0, CUT_BYTES));
      long = { beginning, bytes: restBytes };
      rest = [];
      restBytes = 0;
    }
  }
  if (long !== undefined) yield longBlock(long);
  if (restBytes === 0) return;
  const last = Buffer.concat(rest);
  if (!started && isText(last)) checkOneLine(last, source);
  yield block(last);
}

function withoutBom(bytes: Buffer): Buffer {
  return bytes.subarray(0, BOM.length).equals(BOM) ? bytes.subarray(BOM.length) : bytes;
}

function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

/**
 * The errors of lines that are not text.
 *
 * @throws FanfoldError the first of them, if the source has no `bad`, or for a file of another kind
 */
function badLines(
  bytes: Buffer,
  head: Buffer,
  source: Source,
  firstLine: number,
): Map<number, FanfoldError> {
  const wrong = foreign(head, source);
  if (wrong !== undefined) throw wrong;
  const errors = new Map<number, FanfoldError>();
  for (let from = 0, line = firstLine; from < bytes.length; line++) {
    const end = bytes.indexOf(NEWLINE, from) + 1 || bytes.length;
    const text = bytes.subarray(from, end);
    from = end;
    if (isText(text)) continue;
    const error = noText(text, source, line);
    if (source.bad === undefined) throw error;
    errors.set(line, error);
  }
  return errors;
}

/** The error for a line that is not text. */
function noText(bad: Buffer, source: Source, line: number): FanfoldError {
  const why = bad.includes(0)
    ? `the line contains a NUL byte, which text cannot contain. If NUL bytes separate the lines, convert the file with: ${conversion("tr '\\000' '\\n'", source)}`
    : `this is not UTF-8. If the file is Windows-1252 or Latin-1, convert it with: ${conversion('iconv -f WINDOWS-1252 -t UTF-8', source)}`;
  return new FanfoldError('BadInput', `${source.name}, line ${line}: ${why}`);
}

/** Refuses a source whose lines end with carriage returns alone: it would be one line. */
function checkOneLine(bytes: Buffer, source: Source): void {
  const at = bytes.indexOf(RETURN);
  if (at === -1 || bytes.subarray(at).every((byte) => byte === RETURN)) return;
  throw new FanfoldError(
    'BadInput',
    `${source.name}: lines must end with line feeds; these end with carriage returns only, as on an old Mac. Convert the file with: ${withLineFeeds(source)}`,
  );
}

/** The shell command that converts carriage returns to line feeds. */
export function withLineFeeds(source: Source): string {
  return conversion("tr '\\r' '\\n'", source);
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** The error for a line that is longer than any input can be. */
export function tooLong(
  { name, maxInputBytes }: Source,
  line: number,
  bytes?: number,
): FanfoldError {
  const size = bytes === undefined ? `more than ${maxInputBytes}` : String(bytes);
  return new FanfoldError(
    'BadInput',
    `${name}, line ${line}: the input has ${size} bytes; an input can have at most ${maxInputBytes}${shown(maxInputBytes)}. Put the data where the task can fetch it (a file, S3), and use its path as the input.`,
  );
}

function shown(bytes: number): string {
  return bytes >= MIB ? ` (${bytes / MIB} MiB)` : '';
}

const MIB = 1024 * 1024;
