import { lstatSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FanfoldError } from '../../index.ts';
import { type FileLock, lockFile } from '../../internal.ts';

/** Locks that this process holds, by path. Not every command that fails gets to release its own. */
const held = new Map<string, FileLock>();
const releaseAll = () => {
  for (const path of held.keys()) release(path);
};

/**
 * Locks an output against other commands, by a file beside it, which is removed at the end. One
 * that a killed command has left is taken over.
 *
 * @throws FanfoldError `BadOption` when another command holds the lock, or none is possible
 */
export function lock(output: string): FileLock {
  const path = lockPathOf(output);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !(found.isFile() && found.size === 0)) {
    throw new FanfoldError(
      'BadOption',
      `--output ${output} is locked by the file ${path}, and what is there is not fanfold's. Move it, or name another file.`,
    );
  }
  const lock = lockFile(path);
  if (lock === undefined) {
    throw new FanfoldError(
      'BadOption',
      `Another fanfold command is writing ${output}: let it end first, or name another file.`,
    );
  }
  if (held.size === 0) process.on('exit', releaseAll);
  held.set(path, lock);
  return {
    release: () => {
      if (held.get(path) === lock) release(path);
    },
  };
}

/** Resolves links, so that all names of an output have the same lock, even before it exists. */
export function lockPathOf(output: string): string {
  const full = resolve(output);
  return `${realPathOf(full) ?? join(realPathOf(dirname(full)) ?? dirname(full), basename(full))}.run.lock`;
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function release(path: string): void {
  const lock = held.get(path);
  if (lock === undefined) return;
  // Windows removes no open file. Elsewhere, it could be another command's after the release.
  if (process.platform !== 'win32') remove(path);
  lock.release();
  if (process.platform === 'win32') remove(path);
  held.delete(path);
  if (held.size === 0) process.off('exit', releaseAll);
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next command takes it over.
  }
}
