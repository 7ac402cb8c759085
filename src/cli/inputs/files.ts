import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { FanfoldError } from '../../index.ts';
import { foreign, HEAD_BYTES } from '../../inputs/foreign.ts';
import type { Source } from '../../inputs/source.ts';
import { reasonOf } from './reason.ts';

/** Bytes per read. */
const READ_BYTES = 256 * 1024;

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
          // A new buffer for each read, since lines may be views of it.
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
    // The file may be closed already, or a read may be under way.
    close: () => void handle.close().catch(() => {}),
  };
}

/**
 * Refuses a folder, or a file whose first bytes show that it is not text.
 *
 * @throws FanfoldError
 */
export async function checkFile(path: string, cwd: string): Promise<void> {
  const stats = await stat(resolve(cwd, path)).catch((cause) => {
    throw unreadable(`--input ${path}`, cause);
  });
  // Reading from a pipe consumes it.
  if (stats.isFile()) await checkHead(path, cwd);
  if (!stats.isDirectory()) return;
  throw new FanfoldError(
    'BadInput',
    `--input ${path} is a folder: name a file, or the files in it with --glob '${path.replace(/\/$/, '')}/**'.`,
  );
}

async function checkHead(path: string, cwd: string): Promise<void> {
  try {
    await using file = await open(resolve(cwd, path), 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES));
    const wrong = foreign(buffer.subarray(0, bytesRead), { name: path, path });
    if (wrong) throw wrong;
  } catch (cause) {
    throw cause instanceof FanfoldError ? cause : unreadable(`--input ${path}`, cause);
  }
}

function unreadable(name: string, cause: unknown): FanfoldError {
  return new FanfoldError('BadInput', `${name} cannot be read: ${reasonOf(cause)}.`, { cause });
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
