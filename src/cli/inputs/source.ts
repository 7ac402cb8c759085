import { isUtf8 } from 'node:buffer';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { FanfoldError } from '../../index.ts';

/** Bytes that are read at once. */
const READ_BYTES = 256 * 1024;

/** Where lines come from. */
export interface Source {
  /** As it stands in messages. */
  readonly name: string;
  /** Of a file, as it was given. */
  readonly path?: string;
  /** The largest input, in bytes. */
  readonly maxInputBytes: number;
  chunks(): AsyncIterable<Buffer>;
  close(): void;
}

/** Opens a file. @throws FanfoldError when it can't be */
export async function fileSource(
  path: string,
  cwd: string,
  maxInputBytes: number,
): Promise<Source> {
  const handle = await open(resolve(cwd, path), 'r').catch((cause) => {
    throw unreadable(`--input ${path}`, cause);
  });
  return {
    name: path,
    path,
    maxInputBytes,
    async *chunks() {
      try {
        for (;;) {
          // Each in a buffer of its own: its lines may be views of it.
          const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_BYTES));
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      } catch (cause) {
        throw unreadable(`--input ${path}`, cause);
      } finally {
        await handle.close();
      }
    },
    // It may be closed already, or be read from at this moment.
    close: () => void handle.close().catch(() => {}),
  };
}

/** @throws FanfoldError when there is no such file, or it is a folder */
export async function checkFile(path: string, cwd: string): Promise<void> {
  const stats = await stat(resolve(cwd, path)).catch((cause) => {
    throw unreadable(`--input ${path}`, cause);
  });
  if (!stats.isDirectory()) return;
  throw new FanfoldError(
    'BadInput',
    `--input ${path} is a folder: name a file, or the files in it with --glob '${path.replace(/\/$/, '')}/**'.`,
  );
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission is denied',
  EISDIR: 'it is a folder',
};

function unreadable(name: string, cause: unknown): FanfoldError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = REASONS[code ?? ''] ?? message;
  return new FanfoldError('BadInput', `${name} cannot be read: ${why}.`, { cause });
}

export function streamSource(stream: Readable, maxInputBytes: number): Source {
  return {
    name: 'standard input',
    maxInputBytes,
    async *chunks() {
      try {
        for await (const chunk of stream)
          yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      } catch (cause) {
        throw unreadable('standard input', cause);
      }
    },
    close: () => void stream.destroy(),
  };
}

/** Text that ends where a line ends, and the number of its first line. */
export interface Block {
  text: string;
  /** From 1. */
  firstLine: number;
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
  const { name, maxInputBytes } = source;
  let firstLine = 1;
  let rest: Buffer[] = [];
  let restBytes = 0;
  let started = false;
  const block = (bytes: Buffer): Block => {
    const whole = started ? bytes : withoutBom(bytes);
    started = true;
    const text = decoded(whole, name, firstLine);
    const made = { text, firstLine };
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
