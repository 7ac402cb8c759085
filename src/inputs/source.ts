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
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BOM = Buffer.from('\ufeff');

/** Bytes around the largest input on its line: a byte order mark and a line's end. */
const AROUND_BYTES = BOM.length + 1;

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
    if (!isText(whole)) throw foreign(head, source) ?? noText(whole, source, firstLine);
    endByte += bytes.length;
    const made = { text: whole.toString(), firstLine, endByte };
    firstLine += newlines(whole);
    return made;
  };
  for await (const chunk of source.chunks()) {
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
      throw wrong ?? tooLong(source, firstLine);
    }
  }
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

/** The error for bytes that are not text, with their first bad line. */
function noText(bytes: Buffer, source: Source, firstLine: number): FanfoldError {
  let line = firstLine;
  let bad: Buffer;
  for (let from = 0; ; line++) {
    const end = bytes.indexOf(NEWLINE, from) + 1 || bytes.length;
    bad = bytes.subarray(from, end);
    if (!isText(bad)) break;
    from = end;
  }
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
    `${name}, line ${line}: the input has ${size} bytes; an SQS message holds at most ${maxInputBytes}. Put the data where the task can fetch it (a file, S3), and use its path as the input.`,
  );
}
