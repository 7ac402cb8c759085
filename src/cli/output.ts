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

/** Destination of result lines: standard output, a file, a pipe or a device. */
export interface Output {
  /** Resolves once the text is in the file, or the pipe has taken it. Calls must not overlap. */
  write(text: string): Promise<void>;
  /** Resolves once the written text would survive a power failure, if the output is a file. */
  sync(): Promise<void>;
  /** Removes a file's previous content. */
  empty(): Promise<void>;
  close(): Promise<void>;
  /** True for a regular file, false for a device, a pipe or a descriptor. */
  readonly isFile: boolean;
  /** Number of whole lines that a failed write has written. */
  readonly leftLines: number;
}

/** The reader of standard output has closed it, such as `head` does. */
export class ReaderLeft extends Error {}

/** True if results go through a pipe, which may still end at the terminal: `| jq .output`. */
export function isPiped(path: string | undefined): boolean {
  if (path !== undefined) return false;
  const stat = fstatSync(process.stdout.fd);
  return stat.isFIFO() || stat.isSocket();
}

/** Opens an output. Text is appended to a file's previous content. */
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
 * Polls until the pipe has a reader. A blocking open would occupy a thread that nothing can stop,
 * and so keep the process alive.
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

/** Paths of descriptors, which can't have a record file beside them. */
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
  // Reused for all texts: allocating memory would cost more than the writes.
  let bytes = Buffer.alloc(0);
  return {
    isFile,
    get leftLines() {
      return leftLines;
    },
    async write(text) {
      // A UTF-16 unit takes at most three bytes in UTF-8.
      if (bytes.length < text.length * 3) bytes = Buffer.allocUnsafe(text.length * 3);
      const end = bytes.write(text);
      let from = 0;
      try {
        // A nearly full disk accepts a part, and fails at the next write.
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

/** @param shown converts a text to the form in which it is written */
function stream(writable: Writable, name: string, shown = (text: string): string => text): Output {
  let left: Error | undefined;
  // The failed write rejects too, but without a listener the event would end the process.
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
