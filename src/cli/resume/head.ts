import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** Longer than the first line of a record. */
const HEAD_BYTES = 4_096;

/** Reads the start of a regular file; undefined for anything else, or if it can't be read. */
export function headOf(path: string): string | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(HEAD_BYTES);
      return bytes.toString('utf8', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
