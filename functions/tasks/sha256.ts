import { createHash } from 'node:crypto';
import { close, closeSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { NonRetryableError } from '../../src/errors.ts';
import { defineTask } from '../../src/task.ts';

const BUFFER_BYTES = 256 * 1024;

/** Up to so much is read in one go, synchronously: for small files that takes half the time. */
const SYNC_BYTES = 4 * 1024 * 1024;

const readAsync = promisify(read);
const closeAsync = promisify(close);
const buffer = Buffer.allocUnsafe(BUFFER_BYTES);

/** A file's SHA-256, by its path. Streams: a file of any size takes little memory. */
export const sha256 = defineTask({
  name: 'sha256',
  timeoutSeconds: 900,
  run(path: string, { signal }) {
    if (typeof path !== 'string') {
      throw new NonRetryableError(`A file's path was expected; ${JSON.stringify(path)} came.`);
    }
    const file = open(path);
    const hash = createHash('sha256');
    let bytes = 0;
    let rest = false;
    try {
      for (;;) {
        const length = readSync(file, buffer);
        if (length === 0) break;
        hash.update(buffer.subarray(0, length));
        bytes += length;
        if (bytes >= SYNC_BYTES) {
          rest = true;
          break;
        }
      }
    } catch (cause) {
      throw unreadable(path, cause);
    } finally {
      if (!rest) closeSync(file);
    }
    if (!rest) return { path, bytes, sha256: hash.digest('hex') };
    return hashRest(path, file, { hash, bytes, signal });
  },
});

type Progress = { hash: ReturnType<typeof createHash>; bytes: number; signal: AbortSignal };

/** Goes on with a large file, letting the process do other things in between. */
async function hashRest(path: string, file: number, { hash, bytes, signal }: Progress) {
  const own = Buffer.allocUnsafe(1024 * 1024);
  let total = bytes;
  try {
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await readAsync(file, own, 0, own.length, null);
      if (bytesRead === 0) break;
      hash.update(own.subarray(0, bytesRead));
      total += bytesRead;
    }
  } finally {
    await closeAsync(file);
  }
  return { path, bytes: total, sha256: hash.digest('hex') };
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** A file that can't be read now can't be read in a second either. */
function unreadable(path: string, cause: unknown): NonRetryableError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why =
    {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a directory',
      EACCES: 'permission is denied',
    }[code ?? ''] ?? message;
  return new NonRetryableError(`The file ${path} cannot be read: ${why}.`, { cause });
}
