import { isUtf8 } from 'node:buffer';
import { FanfoldError } from '../errors.ts';
import { conversion, foreign, HEAD_BYTES } from './foreign.ts';

/** A place between two inputs, where reading may go on. */
export interface Position {
  /** Bytes before it. */
  byte: number;
  /** Number of the line that it begins, from 1. */
  line: number;
  /** The header's fields, of CSV. */
  keys?: string[];
}

export const BEGINNING: Position = { byte: 0, line: 1 };

/** Where lines come from. */
export interface Source {
  /** As it stands in messages. */
  readonly name: string;
  /** Where its chunks begin. @default at the beginning */
  readonly from?: Position;
  /** Of a file, as it was given. */
  readonly path?: string;
  /** The largest input, in bytes. */
  readonly maxInputBytes: number;
  chunks(): AsyncIterable<Buffer>;
  close(): void;
}

/** Text that ends where a line ends, and the number of its first line. */
export interface Block {
  text: string;
  /** From 1. */
  firstLine: number;
  /** Bytes of the source before its end. */
  endByte: number;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BOM = Buffer.from('\ufeff');

/** What may stand around the largest input on its line: a byte order mark and a line's end. */
const AROUND_BYTES = BOM.length + 1;

/**
 * A source's text in blocks of whole lines, decoded strictly. No line's end is looked for further
 * than an input can be long.
 */
export async function* blocksOf(source: Source): AsyncGenerator<Block, void> {
  const { maxInputBytes, from } = source;
  let firstLine = from?.line ?? 1;
  let endByte = from?.byte ?? 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  /** The first bytes of the whole source; empty where reading goes on within it. */
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

/** The refusal of bytes that are no text, by the first line of them that is none. */
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
    ? `a NUL byte stands here, and none does in a text. If NULs separate its lines, convert it with: ${conversion("tr '\\000' '\\n'", source)}`
    : `this is not UTF-8. If it is Windows-1252 or Latin-1, convert it with: ${conversion('iconv -f WINDOWS-1252 -t UTF-8', source)}`;
  return new FanfoldError('BadInput', `${source.name}, line ${line}: ${why}`);
}

/** Refuses a source without a line feed whose lines end with carriage returns: it would be one line. */
function checkOneLine(bytes: Buffer, source: Source): void {
  const at = bytes.indexOf(RETURN);
  if (at === -1 || bytes.subarray(at).every((byte) => byte === RETURN)) return;
  throw new FanfoldError(
    'BadInput',
    `${source.name}: its lines end with carriage returns alone, as on an old Mac; line feeds are expected. Convert it with: ${withLineFeeds(source)}`,
  );
}

/** The shell's line that makes line feeds of carriage returns. */
export function withLineFeeds(source: Source): string {
  return conversion("tr '\\r' '\\n'", source);
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** The refusal of a line that no input can be as long as. */
export function tooLong(
  { name, maxInputBytes }: Source,
  line: number,
  bytes?: number,
): FanfoldError {
  const size = bytes === undefined ? `more than ${maxInputBytes}` : String(bytes);
  return new FanfoldError(
    'BadInput',
    `${name}, line ${line}: the input takes ${size} bytes; an SQS message holds at most ${maxInputBytes} of them. Put the data where the task can fetch it (a file, S3), and give its path as the input.`,
  );
}
