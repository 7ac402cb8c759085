import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { StatementSync } from 'node:sqlite';
import { FanfoldError, messageOf } from '../../../errors.ts';
import { Damage, faultOf } from './damage.ts';
import { COLUMNS } from './rows.ts';
import { type Database, openSqlite } from './sqlite.ts';

/** Tells Fanfold's databases from others: "Fanf". */
const APPLICATION_ID = 0x46616e66;

const VERSION = 1;

/** In pages of 8 KiB: at 32 MiB the log is worked into the database, and written from its start. */
const LOG_PAGES = 4_000;

/**
 * The database of a folder, open and locked, and the number of its last transaction. That number is
 * also written beside it (`commits`) after each transaction: SQLite takes a log that was cut short
 * for one that never was longer, and only so it is seen that something has been lost.
 */
export class StoreDatabase {
  readonly sql: Database;
  readonly folder: string;
  #commits: number;
  readonly #mark: number;
  readonly #count: StatementSync;

  private constructor(sql: Database, folder: string, commits: number, mark: number) {
    this.sql = sql;
    this.folder = folder;
    this.#commits = commits;
    this.#mark = mark;
    this.#count = sql.prepare("UPDATE about SET value = ? WHERE key = 'commits'");
  }

  static open(folder: string): StoreDatabase {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'queues.sqlite');
    const markPath = join(folder, 'commits');
    const isNew = !existsSync(path);
    let sql: Database | undefined;
    try {
      const least = readMark(markPath);
      checkFiles(path, least);
      sql = openSqlite(path);
      lock(sql);
      if (isNew) create(sql);
      const commits = countCommits(sql);
      if (commits < least) {
        throw new Damage(
          `the last ${least - commits} of ${least} transactions are missing, of whichever queue (to go on without them, delete the file \`commits\`)`,
        );
      }
      const mark = openSync(markPath, existsSync(markPath) ? 'r+' : 'w+', 0o600);
      const database = new StoreDatabase(sql, folder, commits, mark);
      database.#writeMark();
      if (isNew) syncFolder(folder);
      return database;
    } catch (error) {
      const refused = refusal(error, folder);
      if (sql && refused.code === 'DamagedStore') keepLog(path);
      sql?.close();
      throw refused;
    }
  }

  /** Makes all changes or none; what it has made is on disk. */
  transaction(change: () => void): void {
    this.sql.exec('BEGIN');
    try {
      change();
      this.#count.run(this.#commits + 1);
      this.sql.exec('COMMIT');
    } catch (error) {
      if (this.sql.isTransaction) this.sql.exec('ROLLBACK');
      throw error;
    }
    this.#commits++;
    this.#writeMark();
  }

  /** @param isDamaged what is there of the log is put aside */
  close(isDamaged = false): void {
    if (isDamaged) keepLog(join(this.folder, 'queues.sqlite'));
    closeSync(this.#mark);
    this.sql.close();
  }

  /** Not synced: that the file tells of less than there is does no harm. */
  #writeMark(): void {
    try {
      writeSync(this.#mark, `${String(this.#commits).padStart(16, '0')}\n`, 0);
    } catch {
      // On some file systems there may be no room to write even over what is there.
    }
  }
}

function readMark(path: string): number {
  if (!existsSync(path)) return 0;
  const text = readFileSync(path, 'latin1');
  if (/^\d{16}\n$/.test(text)) return Number(text);
  // It was being made when the process ended.
  if (text === '') return 0;
  throw new Damage('its file `commits` is not what was written');
}

/** SQLite would make a database anew where there is none, or an empty file. */
function checkFiles(path: string, commits: number): void {
  if (existsSync(path)) {
    if (commits > 0 && statSync(path).size === 0) throw new Damage('`queues.sqlite` is empty');
  } else if (commits > 0 || existsSync(`${path}-wal`)) {
    throw new Damage('`queues.sqlite` is missing');
  }
}

/** The lock is the operating system's: it ends with the process, however that ends. */
function lock(sql: Database): void {
  sql.exec('PRAGMA page_size = 8192; PRAGMA locking_mode = EXCLUSIVE');
  sql.exec('BEGIN EXCLUSIVE; COMMIT');
  // Each transaction is synced before it counts as done, so that it also outlasts a power failure.
  sql.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  sql.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}; PRAGMA cache_size = -65536`);
}

function create(sql: Database): void {
  const table = (name: 'queues' | 'counts' | 'memories') =>
    `CREATE TABLE ${name} (${COLUMNS[name]}, checksum INTEGER) STRICT`;
  sql.exec(`
    BEGIN;
    CREATE TABLE about (key TEXT PRIMARY KEY, value ANY) STRICT;
    INSERT INTO about VALUES ('commits', 1);
    ${table('queues')};
    ${table('counts')};
    ${table('memories')};
    CREATE TABLE deletions (name TEXT PRIMARY KEY, deleted_at INTEGER) STRICT;
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${VERSION};
    COMMIT;
  `);
}

function countCommits(sql: Database): number {
  const of = (pragma: string) =>
    Number(Object.values(sql.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
  if (of('application_id') !== APPLICATION_ID) throw new Damage('it is not a store of Fanfold');
  const version = of('user_version');
  if (version !== VERSION) {
    throw new FanfoldError(
      'BadOption',
      `This Fanfold reads stores of version ${VERSION}; this one is of version ${version}, of another Fanfold.`,
    );
  }
  return Number(sql.prepare("SELECT value FROM about WHERE key = 'commits'").get()?.value ?? 0);
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** SQLite drops the log when it is closed, and so what somebody might make something of. */
function keepLog(path: string): void {
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${path}-wal.damaged`);
}

function refusal(error: unknown, folder: string): FanfoldError {
  if (error instanceof FanfoldError) return error;
  switch (faultOf(error)) {
    case 'busy':
      return new FanfoldError(
        'StoreInUse',
        `Another process has the store in ${folder} open, and only one may: end it, or name another folder.`,
      );
    case 'full':
      return new FanfoldError(
        'BadOption',
        `There is no room on the disk for a store in ${folder}.`,
      );
    default:
      return damaged(folder, messageOf(error), error);
  }
}

export function damaged(folder: string, what: string, cause?: unknown): FanfoldError {
  return new FanfoldError(
    'DamagedStore',
    `The store in ${folder} is damaged: ${what}. Nothing of it was thrown away. Put a copy from before the damage in its place, or name another folder.`,
    { cause },
  );
}
