import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { NonRetryableError } from '../../src/errors.ts';
import { defineTask } from '../../src/task.ts';

/**
 * Bytes that are read and hashed before the event loop runs, which a worker needs for other work: a
 * few milliseconds of hashing.
 */
const SLICE_BYTES = 4 * 1024 * 1024;

const BUFFER_BYTES = 256 * 1024;
let buffer: Buffer | undefined;

/** Computes the SHA-256 of the file at a path. Memory does not depend on the file's size. */
export const sha256 = defineTask({
  name: 'sha256',
  timeoutSeconds: 600,
  async run(path: string, { signal }) {
    if (typeof path !== 'string') {
      throw new NonRetryableError(
        `The input must be the path of a file; got ${JSON.stringify(path)}.`,
      );
    }
    const file = openFile(path);
    try {
      const hash = createHash('sha256');
      let bytes = 0;
      for (;;) {
        const slice = hashSlice(file, hash);
        bytes += slice;
        if (slice < SLICE_BYTES) return { path, bytes, sha256: hash.digest('hex') };
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
    } finally {
      closeSync(file);
    }
  },
});

/**
 * Hashes the file's next bytes. Returns their number: fewer than a slice at the end of the file.
 * The reads block, because asynchronous reads take ten times as long for small files and a third
 * longer for large ones.
 */
function hashSlice(file: number, hash: Hash): number {
  buffer ??= Buffer.allocUnsafeSlow(BUFFER_BYTES);
  let bytes = 0;
  while (bytes < SLICE_BYTES) {
    const read = readSync(file, buffer, 0, Math.min(BUFFER_BYTES, SLICE_BYTES - bytes), null);
    if (read === 0) break;
    hash.update(buffer.subarray(0, read));
    bytes += read;
  }
  return bytes;
}

function openFile(path: string): number {
  let file: number;
  try {
    // Without O_NONBLOCK, opening a named pipe blocks the whole process until it has a writer.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const reason = FINAL[(cause as NodeJS.ErrnoException).code ?? ''];
    throw reason === undefined ? cause : unreadable(path, reason, cause);
  }
  const stat = fstatSync(file);
  if (stat.isFile()) return file;
  closeSync(file);
  throw unreadable(path, stat.isDirectory() ? 'it is a directory' : 'it is not a regular file');
}

/** Reasons why a file can't be opened that another attempt would not change, by error code. */
const FINAL: Record<string, string> = {
  EACCES: 'permission is denied',
  EISDIR: 'it is a directory',
  ELOOP: 'its symbolic links form a loop',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is not a directory',
  ENXIO: 'it is not a regular file',
  EPERM: 'permission is denied',
  ERR_INVALID_ARG_VALUE: 'a path cannot contain a NUL character',
};

function unreadable(path: string, reason: string, cause?: unknown): NonRetryableError {
  return new NonRetryableError(
    `The file ${JSON.stringify(path)} cannot be read: ${reason}.`,
    cause === undefined ? undefined : { cause },
  );
}
