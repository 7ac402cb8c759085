import { statSync } from 'node:fs';
import { FanfoldError, messageOf } from '../../../errors.ts';
import { type FileLock, lockFile } from '../../file-lock.ts';
import { makePrivateFile, privateFolder } from '../../private.ts';
import { type Database, openSqlite } from '../../sqlite.ts';
import { Damage, faultOf } from './damage.ts';
import { checkDatabaseFile, filesOf, putLogAside, readCommits, syncFolder } from './files.ts';
import { putStatesIntoBlocks, ROWS_VERSION } from './migration.ts';
import { COLUMNS } from './rows.ts';

/** Identifies a database of Fanfold: "Fanf" in ASCII. */
const APPLICATION_ID = 0x46616e66;

const VERSION = 2;

/** Size of the write-ahead log at which SQLite checkpoints it, in pages of 8 KiB: about 31 MiB. */
const LOG_PAGES = 4000;

/** The open and checked database of a folder, and its lock. */
export interface Opened {
  readonly folder: string;
  readonly sql: Database;
  /** @param isDamaged whether to keep a copy of the log */
  close(isDamaged?: boolean): void;
}

export function openDatabase(folder: string): Opened {
  const { database, log, commits } = filesOf(folder);
  let lock: FileLock | undefined;
  let sql: Database | undefined;
  const close = (isDamaged = false) => {
    if (isDamaged && sql) putLogAside(log);
    sql?.close();
    lock?.release();
  };
  try {
    privateFolder(folder);
    lock = lockOf(folder);
    const least = readCommits(commits);
    checkDatabaseFile(database, log, least);
    // SQLite would make it readable by others, and gives its log the same permissions.
    makePrivateFile(database);
    const isNew = statSync(database).size === 0;
    sql = openForWriting(folder);
    if (isNew) create(sql);
    if (check(sql, least) === ROWS_VERSION) putStatesIntoBlocks(sql, VERSION);
    if (isNew) syncFolder(folder);
    return { folder, sql, close };
  } catch (error) {
    const refused = refusal(error, folder);
    close(refused.code === 'DamagedStore');
    throw refused;
  }
}

function lockOf(folder: string): FileLock {
  const path = filesOf(folder).lock;
  makePrivateFile(path);
  const lock = lockFile(path);
  if (lock === undefined) throw inUse(folder);
  return lock;
}

export function openForWriting(folder: string): Database {
  const sql = openSqlite(filesOf(folder).database);
  sql.exec('PRAGMA busy_timeout = 10000; PRAGMA page_size = 8192; PRAGMA journal_mode = WAL');
  // Each transaction is synced before it counts as done, so that it survives a power failure.
  sql.exec('PRAGMA synchronous = FULL');
  sql.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}; PRAGMA cache_size = -65536`);
  return sql;
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

/** @returns the store's version */
function check(sql: Database, leastCommits: number): number {
  const of = (pragma: string) =>
    Number(Object.values(sql.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
  if (of('application_id') !== APPLICATION_ID) throw new Damage('it is not a Fanfold store');
  const version = of('user_version');
  if (version !== VERSION && version !== ROWS_VERSION) {
    throw new FanfoldError(
      'BadOption',
      `This version of Fanfold reads stores of version ${ROWS_VERSION} and ${VERSION}; got a store of version ${version}. Use the version of Fanfold that wrote it, or name another folder.`,
    );
  }
  const missing = leastCommits - countCommits(sql);
  if (missing <= 0) return version;
  throw new Damage(
    `the last ${missing} of ${leastCommits} transactions, which can be of any queue, are missing (to continue without them, delete the file \`commits\`)`,
  );
}

export function countCommits(sql: Database): number {
  return Number(sql.prepare("SELECT value FROM about WHERE key = 'commits'").get()?.value ?? 0);
}

function inUse(folder: string): FanfoldError {
  return new FanfoldError(
    'StoreInUse',
    `Another process has opened the store in ${folder}, and only one can use it: end that process, or name another folder.`,
  );
}

function refusal(error: unknown, folder: string): FanfoldError {
  if (error instanceof FanfoldError) return error;
  switch (faultOf(error)) {
    case 'busy':
      return inUse(folder);
    case 'full':
      return new FanfoldError(
        'BadOption',
        `The disk is full: there is no space for a store in ${folder}.`,
      );
    case 'files':
      return new FanfoldError(
        'BadOption',
        `Expected a folder to store queues in, but ${folder} cannot be used: ${whyNoFolder(error)}.`,
        { cause: error },
      );
    default:
      return damaged(folder, messageOf(error), error);
  }
}

/** Explanations of system error codes whose own messages are unclear. */
const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it is a file, or a broken link. Name another',
  ENOTDIR: 'a part of its path is a file. Name another',
  EACCES: 'permission is denied',
  EROFS: 'its file system is read-only',
};

function whyNoFolder(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? messageOf(error).replace(/\.$/, '');
}

export function damaged(folder: string, what: string, cause?: unknown): FanfoldError {
  return new FanfoldError(
    'DamagedStore',
    `The store in ${folder} is damaged: ${what}. Nothing in it was deleted. Restore it from a backup, or name another folder.`,
    { cause },
  );
}
