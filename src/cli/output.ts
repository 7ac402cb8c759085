import { constants, fstatSync, openSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { FanfoldError } from '../index.ts';
import { printableJsonLines } from '../inputs/printable.ts';
import { reasonOf } from './inputs/reason.ts';
import { above } from './live-line.ts';

/** Where result lines go. */
export interface Output {
  /** Ends when the text is on its way for good: in the file, or taken by the pipe. One at a time. */
  write(text: string): Promise<void>;
  /** Ends when what was written outlives a power cut, in a file. */
  sync(): Promise<void>;
  /** Takes out what was there before, of a file. */
  empty(): Promise<void>;
  close(): Promise<void>;
  /** True for a file that stays: no device, pipe or descriptor. */
  readonly isFile: boolean;
  /** Whole lines of its text that a failed write has left. */
  readonly leftLines: number;
}

/** Whoever read standard output has read enough. */
export class ReaderLeft extends Error {}

/** Whether results go through a pipe, which may end at the terminal all the same: `| jq .output`. */
export function isPiped(path: string | undefined): boolean {
  if (path !== undefined) return false;
  const stat = fstatSync(process.stdout.fd);
  return stat.isFIFO() || stat.isSocket();
}

/** What is written is appended, to what is there too. */
export async function openOutput(path: string | undefined): Promise<Output> {
  if (path === undefined) {
    const { stdout } = process;
    const text = stdout.isTTY ? (lines: string) => above(printableJsonLines(lines)) : undefined;
    return stream(stdout, 'Standard output', text);
  }
  const isPipe = statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
  return isPipe ? stream(await namedPipe(path), `The output ${path}`) : file(path);
}

const READER_MS = 50;

/**
 * Waits for a reader, and not in a call of the system: a thread that waits there for what may never
 * come would keep the process, as nothing ends it.
 */
async function namedPipe(path: string): Promise<Socket> {
  for (;;) {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      return new Socket({ fd, readable: false, writable: true });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENXIO') throw unopened(path, cause as Error);
    }
    await pause(READER_MS);
  }
}

/** No record can be beside it. */
const DESCRIPTOR = /^\/(dev\/(stdin|stdout|stderr|fd\/\d+)$|proc\/)/;

async function file(path: string): Promise<Output> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'a');
  } catch (cause) {
    throw unopened(path, cause as Error);
  }
  const isFile = (await handle.stat()).isFile() && !DESCRIPTOR.test(resolve(path));
  let leftLines = 0;
  // One for all texts: memory that is new to the process costs more than what is written to it.
  let bytes = Buffer.alloc(0);
  return {
    isFile,
    get leftLines() {
      return leftLines;
    },
    async write(text) {
      // Three bytes are the most that a UTF-16 unit takes.
      if (bytes.length < text.length * 3) bytes = Buffer.allocUnsafe(text.length * 3);
      const end = bytes.write(text);
      let from = 0;
      try {
        // A disk that is nearly full takes a part, and says at the next that it is full.
        while (from < end) from += (await handle.write(bytes, from, end - from)).bytesWritten;
      } catch (cause) {
        leftLines = bytes.toString('latin1', 0, from).split('\n').length - 1;
        throw unwritten(path, cause as Error);
      }
    },
    async sync() {
      if (isFile)
        await handle.datasync().catch((cause: Error) => {
          throw unwritten(path, cause);
        });
    },
    empty: () => handle.truncate(0),
    close: () => handle.close(),
  };
}

function unopened(path: string, cause: NodeJS.ErrnoException): FanfoldError {
  const why = `--output ${path} cannot be written: ${reasonOf(cause)}.`;
  return new FanfoldError('BadOption', why, { cause });
}

function unwritten(path: string, cause: Error): FanfoldError {
  const why = `The output ${path} could not be written: ${cause.message}.`;
  return new FanfoldError('RunFailed', why, { cause });
}

/** @param shown what a text is written as */
function stream(writable: Writable, name: string, shown = (text: string): string => text): Output {
  let left: Error | undefined;
  // Told to the write that met it as well; unheard, it would end the process.
  writable.on('error', (error) => {
    left = error;
  });
  return {
    isFile: false,
    leftLines: 0,
    write: (text) =>
      new Promise((resolve, reject) => {
        if (left) {
          reject(readerError(name, left));
          return;
        }
        writable.write(shown(text), (error) =>
          error ? reject(readerError(name, error)) : resolve(),
        );
      }),
    async sync() {},
    async empty() {},
    async close() {
      if (writable !== process.stdout) writable.destroy();
    },
  };
}

function readerError(name: string, error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE') return new ReaderLeft();
  return new FanfoldError('RunFailed', `${name} could not be written: ${error.message}.`);
}
