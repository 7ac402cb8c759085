import { isUtf8 } from 'node:buffer';
import { FanfoldError } from '../errors.ts';

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
const BOM = Buffer.from('\ufeff');

/** What may stand around the largest input on its line: a byte order mark and a line's end. */
const AROUND_BYTES = BOM.length + 1;

/**
 * A source's text in blocks of whole lines, decoded strictly. No line's end is looked for further
 * than an input can be long.
 */
export async function* blocksOf(source: Source): AsyncGenerator<Block, void> {
  const { name, maxInputBytes, from } = source;
  let firstLine = from?.line ?? 1;
  let endByte = from?.byte ?? 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  let started = endByte > 0;
  const block = (bytes: Buffer): Block => {
    const whole = started ? bytes : withoutBom(bytes);
    started = true;
    const text = decoded(whole, name, firstLine);
    endByte += bytes.length;
    const made = { text, firstLine, endByte };
    firstLine += newlines(whole);
    return made;
  };
  for await (const chunk of source.chunks()) {
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
    if (restBytes > maxInputBytes + AROUND_BYTES) throw tooLong(source, firstLine);
  }
  if (restBytes > 0) yield block(Buffer.concat(rest));
}

function withoutBom(bytes: Buffer): Buffer {
  return bytes.subarray(0, BOM.length).equals(BOM) ? bytes.subarray(BOM.length) : bytes;
}

function decoded(bytes: Buffer, name: string, firstLine: number): string {
  if (isUtf8(bytes)) return bytes.toString();
  let line = firstLine;
  for (let from = 0; ; line++) {
    const end = bytes.indexOf(NEWLINE, from) + 1 || bytes.length;
    if (!isUtf8(bytes.subarray(from, end))) break;
    from = end;
  }
  throw new FanfoldError(
    'BadInput',
    `${name}, line ${line}: this is not UTF-8. Convert it first, for example with: iconv -f latin1 -t utf-8`,
  );
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
