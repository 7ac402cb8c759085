import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { openPrivate } from '../../private.ts';
import { Damage } from './damage.ts';

/** The files of a store's folder. */
export function filesOf(folder: string) {
  const database = join(folder, 'queues.sqlite');
  return {
    database,
    log: `${database}-wal`,
    lock: join(folder, 'lock'),
    commits: join(folder, 'commits'),
  };
}

/**
 * Records the number of transactions beside the database, after each one. SQLite mistakes a
 * truncated log for a complete one; only this count shows that transactions were lost.
 */
export class CommitCount {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openPrivate(path, constants.O_RDWR | constants.O_CREAT);
  }

  /** Not synced: a count that is too low does no harm. */
  write(commits: number): void {
    try {
      writeSync(this.#fd, `${String(commits).padStart(16, '0')}\n`, 0);
    } catch {
      // On some file systems even an overwrite fails when the disk is full.
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Lower bound on the number of transactions in the database. */
export function readCommits(path: string): number {
  const text = existsSync(path) ? readFileSync(path, 'latin1') : '';
  // The process ended while it created the file.
  if (text === '') return 0;
  if (/^\d{16}\n$/.test(text)) return Number(text);
  throw new Damage('its file `commits` is corrupt');
}

/** Refuses a missing or empty database that should have data: SQLite would create a new one. */
export function checkDatabaseFile(database: string, log: string, commits: number): void {
  if (existsSync(database)) {
    if (commits > 0 && statSync(database).size === 0) throw new Damage('`queues.sqlite` is empty');
  } else if (commits > 0 || existsSync(log)) {
    throw new Damage('`queues.sqlite` is missing');
  }
}

/** Copies the log for a possible recovery, since SQLite deletes it when it is closed. */
export function putLogAside(log: string): void {
  if (existsSync(log)) copyFileSync(log, `${log}.damaged`);
}

export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
