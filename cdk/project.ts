import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FanfoldPropsError, shown } from './refuse.ts';

/** Finds the package.json of the folder, or of the nearest parent folder that has one. */
function nearestPackageJson(folder: string): string | undefined {
  const path = join(folder, 'package.json');
  if (existsSync(path)) return path;
  const above = dirname(folder);
  return above === folder ? undefined : nearestPackageJson(above);
}

/** Tasks module named in the nearest package.json: `"fanfold": { "tasks": "src/tasks.ts" }`. */
export function tasksOfProject(folder: string): unknown {
  const path = nearestPackageJson(folder);
  if (path === undefined) return undefined;
  // Skips a byte order mark, as npm does.
  const text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  const { fanfold = {} } = JSON.parse(text) as { fanfold?: unknown };
  const isObject = typeof fanfold === 'object' && fanfold !== null && !Array.isArray(fanfold);
  const stray = isObject ? Object.keys(fanfold).find((key) => key !== 'tasks') : undefined;
  if (!isObject || stray !== undefined) {
    const received = stray === undefined ? `got ${shown(fanfold)}` : `got the key "${stray}"`;
    throw new FanfoldPropsError(
      `${path}: \`fanfold\` must be like {"tasks": "src/tasks.ts"}; ${received}.`,
    );
  }
  const { tasks } = fanfold as { tasks?: unknown };
  return typeof tasks === 'string' ? join(dirname(path), tasks) : tasks;
}
