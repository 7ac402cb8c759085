import type { DatabaseSync } from 'node:sqlite';

export type Database = DatabaseSync;

/**
 * Opens a database of Node's own SQLite. The module is loaded here and not imported, since until
 * Node 24.15 loading it printed that it is experimental, which is no news to who runs a queue: only
 * that warning is held back.
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
