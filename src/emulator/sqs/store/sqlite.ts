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
