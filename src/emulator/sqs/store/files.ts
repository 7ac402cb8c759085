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
 * How many transactions there were is also written beside the database, after each: SQLite takes a
 * log that was cut short for one that never was longer, and only so it is seen that some is lost.
 */
export class CommitCount {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openPrivate(path, constants.O_RDWR | constants.O_CREAT);
  }

  /** Not synced: that the file tells of less than there is does no harm. */
  write(commits: number): void {
    try {
      writeSync(this.#fd, `${String(commits).padStart(16, '0')}\n`, 0);
    } catch {
      // On some file systems there may be no room to write even over what is there.
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** How many transactions there are at least. */
export function readCommits(path: string): number {
  const text = existsSync(path) ? readFileSync(path, 'latin1') : '';
  // It was being made when its process ended.
  if (text === '') return 0;
  if (/^\d{16}\n$/.test(text)) return Number(text);
  throw new Damage('its file `commits` is not what was written');
}

/** SQLite would make a database anew where there is none, or an empty file. */
export function checkDatabaseFile(database: string, log: string, commits: number): void {
  if (existsSync(database)) {
    if (commits > 0 && statSync(database).size === 0) throw new Damage('`queues.sqlite` is empty');
  } else if (commits > 0 || existsSync(log)) {
    throw new Damage('`queues.sqlite` is missing');
  }
}

/** SQLite drops the log when it is closed, and so what somebody might make something of. */
export function putLogAside(log: string): void {
  if (existsSync(log)) copyFileSync(log, `${log}.damaged`);
}

export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
