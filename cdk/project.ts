import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The package.json of the folder, or of the nearest folder above that has one. */
function nearestPackageJson(folder: string): string | undefined {
  const path = join(folder, 'package.json');
  if (existsSync(path)) return path;
  const above = dirname(folder);
  return above === folder ? undefined : nearestPackageJson(above);
}

/** The tasks module that the nearest package.json names: `"fanfold": { "tasks": "src/tasks.ts" }`. */
export function tasksOfProject(folder: string): unknown {
  const path = nearestPackageJson(folder);
  if (path === undefined) return undefined;
  const { fanfold } = JSON.parse(readFileSync(path, 'utf8')) as { fanfold?: { tasks?: unknown } };
  const tasks = fanfold?.tasks;
  return typeof tasks === 'string' ? join(dirname(path), tasks) : tasks;
}
