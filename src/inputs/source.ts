import { isUtf8 } from 'node:buffer';
import { FanfoldError } from '../errors.ts';

/** Where lines come from. */
export interface Source {
  /** As it stands in messages. */
  readonly name: string;
  /** As it stands in a shell's command; undefined where no command takes it. */
  readonly shellName?: string;
  /** The largest input, in bytes of its JSON text. */
  readonly maxInputBytes: number;
  /** @param at the first byte: over 0 only where reading goes on that began elsewhere */
  chunks(at: number): AsyncIterable<Buffer>;
}

/** A place in a source, where a line begins. */
export interface Position {
  /** In bytes, from 0. */
  at: number;
  /** The line that begins there, from 1. */
  line: number;
  /** The index of the next input behind it. */
  index: number;
}

export const BEGINNING: Position = { at: 0, line: 1, index: 0 };

/** Text that ends where a line ends, and the number of its first line. */
export interface Block {
  text: string;
  /** From 1. */
  firstLine: number;
  /** What comes behind it. */
  end: Omit<Position, 'index'>;
}

const NEWLINE = 0x0a;
const BOM = Buffer.from('\ufeff');

/** What may stand around the largest input on its line: a byte order mark and a line's end. */
const AROUND_BYTES = BOM.length + 1;

/**
 * A source's text in blocks of whole lines, decoded strictly. No line's end is looked for further
 * than an input can be long.
 */
export async function* blocksOf(source: Source, from: Position): AsyncGenerator<Block, void> {
  const { name, maxInputBytes } = source;
  let { at, line: firstLine } = from;
  let rest: Buffer[] = [];
  let restBytes = 0;
  const block = (bytes: Buffer): Block => {
    const whole = at === 0 ? withoutBom(bytes) : bytes;
    const text = decoded(whole, name, firstLine);
    const line = firstLine;
    at += bytes.length;
    firstLine += newlines(whole);
    return { text, firstLine: line, end: { at, line: firstLine } };
  };
  for await (const chunk of source.chunks(from.at)) {
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
