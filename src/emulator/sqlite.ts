import type { DatabaseSync } from 'node:sqlite';

export type Database = DatabaseSync;

/**
 * Opens a database with Node's built-in SQLite. Before Node 24.15, loading the module prints that
 * it is experimental, which is of no use to the user of a queue. The module is therefore loaded
 * here instead of imported, and only that warning is suppressed.
 */
export function openSqlite(path: string): Database {
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).startsWith('SQLite is an experimental feature')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    return new DatabaseSync(path);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Primary result code of an error of SQLite; 0 for another error. https://www.sqlite.org/rescode.html */
export function resultCodeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}

/** Whether another process, or another connection of this one, has locked the file. */
export function isBusy(error: unknown): boolean {
  return resultCodeOf(error) === 5;
}
