import { mkdtempSync, openSync, rmdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FanfoldError, messageOf } from '../errors.ts';
import { shortageOf } from './shortage.ts';

/**
 * Opens an empty file without a name, which disappears when the last process that has it open ends.
 *
 * @returns its file descriptor
 * @throws FanfoldError when the file can't be created
 */
export function openUnnamedFile(): number {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'fanfold-'));
    try {
      const file = openSync(join(folder, 'journal'), 'w+');
      unlinkSync(join(folder, 'journal'));
      return file;
    } finally {
      rmdirSync(folder);
    }
  } catch (thrown) {
    const cause = thrown as NodeJS.ErrnoException;
    throw (
      shortageOf(cause) ??
      new FanfoldError(
        'RunFailed',
        `Worker processes need a small file in ${tmpdir()}, which cannot be created: ${messageOf(cause)}. ${remedyOf(cause)}`,
        { cause },
      )
    );
  }
}

function remedyOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ENOSPC') return 'Free disk space there, or set TMPDIR to a folder with free space.';
  const named = process.env.TMPDIR === undefined ? '' : ', or unset it';
  if (code !== 'ENOENT') return `Set TMPDIR to a writable folder${named}.`;
  return `Create that folder, or set TMPDIR to one that exists${named}.`;
}
