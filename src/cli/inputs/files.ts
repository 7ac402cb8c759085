import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { FanfoldError } from '../../index.ts';
import type { Source } from '../../inputs/source.ts';

/** Bytes that are read at once. */
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
