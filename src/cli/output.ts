import { fstatSync } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FanfoldError } from '../index.ts';
import { printableJsonLines } from '../inputs/printable.ts';
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
  /** Whether it is a file that stays: no device or pipe. */
  readonly isFile: boolean;
}

/** Whoever read standard output has read enough. */
export class ReaderLeft extends Error {}

/** Refuses a file that can't be written, before any work is done. */
export async function checkOutput(path: string, inputPath: string | undefined): Promise<void> {
  const folder = dirname(path);
  const there = await stat(folder).catch(() => undefined);
  if (!there?.isDirectory()) {
    throw new FanfoldError(
      'BadOption',
      `--output ${path}: there is no folder ${folder}. Make it first (mkdir -p), or name another.`,
    );
  }
  const old = await stat(path).catch(() => undefined);
  if (old?.isDirectory()) {
    throw new FanfoldError('BadOption', `--output ${path}: that is a folder; name a file in it.`);
  }
  if (old && inputPath !== undefined && (await sameFile(path, inputPath))) {
    throw new FanfoldError(
      'BadOption',
      `--output ${path} is the input: its inputs would be overwritten. Name another file.`,
    );
  }
}

async function sameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => realpath(path).catch(() => path)));
  return a === b;
}

/** Whether results go through a pipe, which may end at the terminal all the same: `| jq .output`. */
export function isPiped(path: string | undefined): boolean {
  if (path !== undefined) return false;
  const stat = fstatSync(process.stdout.fd);
  return stat.isFIFO() || stat.isSocket();
}

/** What is written is appended, to what is there too. */
export async function openOutput(path: string | undefined): Promise<Output> {
  return path === undefined ? standardOutput() : file(path);
}

async function file(path: string): Promise<Output> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'a');
  } catch (cause) {
    const { message } = cause as Error;
    throw new FanfoldError('BadOption', `--output ${path} cannot be written: ${message}.`, {
      cause,
    });
  }
  const isFile = (await handle.stat()).isFile();
  // One for all texts: memory that is new to the process costs more than what is written to it.
  let bytes = Buffer.alloc(0);
  return {
    isFile,
    async write(text) {
      // Three bytes are the most that a UTF-16 unit takes.
      if (bytes.length < text.length * 3) bytes = Buffer.allocUnsafe(text.length * 3);
      const end = bytes.write(text);
      try {
        // A disk that is nearly full takes a part, and says at the next that it is full.
        for (let from = 0; from < end; ) {
          from += (await handle.write(bytes, from, end - from)).bytesWritten;
        }
      } catch (cause) {
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

function unwritten(path: string, cause: Error): FanfoldError {
  const why = `The output ${path} could not be written: ${cause.message}.`;
  return new FanfoldError('RunFailed', why, { cause });
}

function standardOutput(): Output {
  const { stdout } = process;
  let left: Error | undefined;
  // Told to the write that met it as well; unheard, it would end the process.
  stdout.on('error', (error) => {
    left = error;
  });
  return {
    isFile: false,
    write: (text) =>
      new Promise((resolve, reject) => {
        if (left) {
          reject(readerError(left));
          return;
        }
        stdout.write(stdout.isTTY ? above(printableJsonLines(text)) : text, (error) =>
          error ? reject(readerError(error)) : resolve(),
        );
      }),
    async sync() {},
    async empty() {},
    async close() {},
  };
}

function readerError(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE') return new ReaderLeft();
  return new FanfoldError('RunFailed', `Standard output could not be written: ${error.message}.`);
}
