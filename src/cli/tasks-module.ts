import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FanfoldError } from '../index.ts';

/** Where tasks come from. */
export interface TasksModule {
  path: string;
  /** Whether nobody named one, so that the tasks that ship are used. */
  shipped: boolean;
}

/** The tasks module: as given, else as the nearest package.json says, else the one that ships. */
export function findTasksModule(given: string | undefined, cwd = process.cwd()): TasksModule {
  if (given !== undefined) return { path: resolve(cwd, given), shipped: false };
  const named = namedInPackage(cwd);
  if (named !== undefined) return { path: named, shipped: false };
  return { path: fileURLToPath(import.meta.resolve('#shipped-tasks')), shipped: true };
}

function namedInPackage(cwd: string): string | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const tasks = readPackage(file).fanfold?.tasks;
      return tasks === undefined ? undefined : resolve(folder, tasks);
    }
    if (dirname(folder) === folder) return undefined;
  }
}

function readPackage(file: string): { fanfold?: { tasks?: string } } {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { fanfold?: { tasks?: string } };
  } catch (cause) {
    throw new FanfoldError(
      'BadOption',
      `${file} cannot be read, and may name the tasks module: ${cause instanceof Error ? cause.message : cause}. Mend it, or give --tasks.`,
      { cause },
    );
  }
}
