import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fanfold, FanfoldError } from '../index.ts';

/** Specifier of the built-in tasks. */
const SHIPPED = 'fanfold/tasks';

/** The tasks module that a command uses. */
export interface TasksModule {
  path: string;
  /** Whether it is the built-in one, because none is named. */
  shipped: boolean;
}

/** Finds the tasks module: the given one, the nearest package.json's, or the built-in one. */
export function findTasksModule(given: string | undefined, cwd = process.cwd()): TasksModule {
  if (given !== undefined) return { path: pathOf(given, cwd), shipped: false };
  const named = namedInPackage(cwd);
  if (named !== undefined) return { path: named, shipped: false };
  return { path: pathOf(SHIPPED, cwd), shipped: true };
}

function pathOf(module: string, folder: string): string {
  return module === SHIPPED ? fileURLToPath(import.meta.resolve(SHIPPED)) : resolve(folder, module);
}

/**
 * Checks that a task exists where it must run. If a built-in task is missing because another tasks
 * module is in use, the error says so.
 *
 * @throws FanfoldError `UnknownTask`; `BadOption` when there is no such deployment
 */
export async function checkTask(
  fanfold: Fanfold,
  task: string,
  given: string | undefined,
): Promise<void> {
  try {
    await fanfold.check(task);
  } catch (error) {
    const isUnknownHere =
      fanfold.tasks !== undefined && error instanceof FanfoldError && error.code === 'UnknownTask';
    if (!isUnknownHere) throw error;
    const { path, shipped } = findTasksModule(given);
    if (shipped) throw onlyBuiltIn(error, task);
    if (!(await ships(task))) throw error;
    const why = given === undefined ? ', which package.json names' : '';
    throw new FanfoldError(
      'UnknownTask',
      `${error.message} The tasks module is ${path}${why}; "${task}" is a built-in task: use --tasks ${SHIPPED}.`,
      { cause: error },
    );
  }
}

/** The error for a task that no tasks module was named for. */
function onlyBuiltIn(error: FanfoldError, task: string): FanfoldError {
  const remedy = /\.[cm]?[jt]sx?$/.test(task)
    ? `\`fanfold run\` takes the name of a task, and its file by --tasks ${task}.`
    : 'For a task of your own, name its module: --tasks FILE, or "fanfold": {"tasks": "src/tasks.ts"} in package.json.';
  return new FanfoldError('UnknownTask', `${error.message} ${remedy}`, { cause: error });
}

async function ships(name: string): Promise<boolean> {
  return (await shippedTasks()).includes(name);
}

/** Names of the built-in tasks. */
export async function shippedTasks(): Promise<string[]> {
  const shipped = await import('fanfold/tasks');
  return Object.values(shipped)
    .map(({ name }) => name)
    .toSorted();
}

function namedInPackage(cwd: string): string | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const tasks = tasksIn(file);
      return tasks === undefined ? undefined : pathOf(tasks, folder);
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * Reads `fanfold.tasks` from a package.json; undefined if it is not set.
 *
 * @param remedy what the user can do about one that is wrong, as a sentence
 */
export function tasksIn(file: string, remedy = 'Correct it, or use --tasks.'): string | undefined {
  const malformed = (expected: string, received: unknown) => {
    const text = JSON.stringify(received).slice(0, 100);
    const why = `${file} can name the tasks module, but is not valid: ${expected}; got ${text}. ${remedy}`;
    return new FanfoldError('BadOption', why);
  };
  const content = readPackage(file);
  if (!isObject(content)) throw malformed('it must hold an object', content);
  const { fanfold } = content;
  if (fanfold === undefined) return undefined;
  if (!isObject(fanfold)) {
    throw malformed('`fanfold` must be like {"tasks": "src/tasks.ts"}', fanfold);
  }
  const { tasks, ...others } = fanfold;
  const [stray] = Object.keys(others);
  if (stray !== undefined) {
    const expected = `\`fanfold\` must have only the key "tasks"`;
    throw malformed(expected, { [stray]: others[stray] });
  }
  if (tasks === undefined || (typeof tasks === 'string' && tasks !== '')) return tasks;
  throw malformed('`fanfold.tasks` must be the path of one tasks module', tasks);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readPackage(file: string): unknown {
  try {
    // Skips a byte order mark, as npm does.
    return JSON.parse(readFileSync(file, 'utf8').replace(/^\ufeff/, ''));
  } catch (cause) {
    throw new FanfoldError(
      'BadOption',
      `${file}, which can name the tasks module, cannot be read: ${cause instanceof Error ? cause.message : cause}. Correct it, or use --tasks.`,
      { cause },
    );
  }
}
