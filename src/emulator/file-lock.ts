import { rmSync, statSync } from 'node:fs';
import { FanfoldError, messageOf } from '../errors.ts';
import { type Database, isBusy, openSqlite } from './sqlite.ts';

/** The exclusive right to something, for which a lock file stands. */
export interface FileLock {
  /** Ends the lock. Its holder may remove the file before, but not after. */
  release(): void;
}

/**
 * Locks an empty file for this process, and creates it if it does not exist. Node has no file
 * locks of its own, so SQLite takes one. The operating system releases it when the process ends,
 * even if it is killed. The lock is the file's: it holds for all processes that share the file
 * system, in whichever container.
 *
 * Nothing else in this process may open the file: closing it would release the lock
 * (https://www.sqlite.org/howtocorrupt.html).
 *
 * @returns undefined if the file is locked already
 * @throws FanfoldError `BadOption` if its file system has no locks, or does not allow them
 */
export function lockFile(path: string): FileLock | undefined {
  for (;;) {
    const before = identityOf(path);
    const sqlite = locked(path);
    if (sqlite === undefined) {
      checkLocks(path);
      return undefined;
    }
    // Its last holder may have removed the file since, and another process created a new one.
    if (before !== undefined && before === identityOf(path)) return held(sqlite);
    sqlite.close();
  }
}

/** Locks of this process. Without a reference, Node would close one, and so end the lock. */
const locks = new Set<Database>();

function held(sqlite: Database): FileLock {
  locks.add(sqlite);
  return {
    release() {
      if (locks.delete(sqlite)) sqlite.close();
    },
  };
}

/** Returns undefined if the file is locked already, or if the file system refuses to lock it. */
function locked(path: string): Database | undefined {
  let sqlite: Database | undefined;
  try {
    sqlite = openSqlite(path);
    // In memory: else SQLite would create a journal beside the file.
    sqlite.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return sqlite;
  } catch (error) {
    sqlite?.close();
    if (isBusy(error)) return undefined;
    throw unlockable(path, messageOf(error), error);
  }
}

/** SQLite reports a file system without locks (ENOLCK) as a lock. Nobody else knows a new file. */
function checkLocks(path: string): void {
  const unknown = `${path}-${crypto.randomUUID()}`;
  try {
    const sqlite = locked(unknown);
    if (sqlite === undefined) throw unlockable(path, 'ENOLCK: no locks available');
    sqlite.close();
  } finally {
    rmSync(unknown, { force: true });
  }
}

function unlockable(path: string, reason: string, cause?: unknown): FanfoldError {
  const why = `${path} cannot be locked (${reason}). Its folder may not be writable, or its file system has no file locks: name a place elsewhere.`;
  return new FanfoldError('BadOption', why, { cause });
}

/** Has the time of the last change, since the next new file may get the number of a removed one. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}:${found.ctimeNs}`;
}
