import { FanfoldError } from './errors.ts';
import { nearest } from './nearest.ts';
import { isObject } from './options.ts';
import { type AnyTask, isTask } from './task.ts';

/** The tasks that can run in one place, by name. */
export class TaskRegistry {
  readonly #tasks = new Map<string, AnyTask>();

  /** Registers the tasks that a module exports. Refuses two of the same name. */
  static fromModule(module: object, source = 'the tasks module'): TaskRegistry {
    const registry = new TaskRegistry();
    for (const value of Object.values(module)) if (isTask(value)) registry.add(value, source);
    if (registry.#tasks.size === 0) {
      throw new FanfoldError(
        'BadTask',
        `${source} exports ${listed(module)}. Export the value of defineTask() by name: export const mine = defineTask({ name: 'mine', run: ... }).`,
      );
    }
    return registry;
  }

  add(task: AnyTask, source = 'this process'): void {
    const known = this.#tasks.get(task.name);
    if (known !== undefined && known !== task) {
      throw new FanfoldError(
        'BadTask',
        `Two tasks in ${source} have the name "${task.name}". Rename one of them.`,
      );
    }
    this.#tasks.set(task.name, task);
  }

  delete({ name }: AnyTask): void {
    this.#tasks.delete(name);
  }

  get(name: string): AnyTask | undefined {
    return this.#tasks.get(name);
  }

  names(): string[] {
    return [...this.#tasks.keys()].sort();
  }

  all(): AnyTask[] {
    return this.names().flatMap((name) => this.#tasks.get(name) ?? []);
  }

  /** The task of that name. Throws an error that suggests the nearest name if there is none. */
  require(name: string): AnyTask {
    return this.#tasks.get(name) ?? raise(unknownTask(name, this.names()));
  }
}

/** Most exports that an error names. */
const LISTED = 5;

/** The exports of a module without tasks. */
function listed(module: object): string {
  const exports = Object.entries(module);
  if (exports.length === 0) return 'nothing';
  const what = exports.slice(0, LISTED).map(([name, value]) => {
    if (typeof value === 'function') return `\`${name}\` is a function, not a task`;
    const holds = isObject(value) && Object.values(value).some(isTask);
    return `\`${name}\` is ${holds ? 'an object that holds tasks' : 'no task'}`;
  });
  return `no task: ${what.join(', ')}`;
}

/** The tasks of a place, if they are known before a run, or those that were added to it so far. */
interface KnownTasks {
  tasks: readonly string[] | undefined;
  added?(): readonly string[];
}

/** @throws FanfoldError `UnknownTask`, with what helps where tasks are added by `map` */
export function refuseUnknown(task: string, { tasks, added }: KnownTasks): void {
  const known = tasks ?? added?.();
  if (known === undefined || known.includes(task)) return;
  const error = unknownTask(task, known);
  if (known.length > 0) throw error;
  throw new FanfoldError(
    error.code,
    `${error.message} Pass the task itself to map(), or its tasks module to connect().`,
  );
}

/** The error for a name that no task has. */
export function unknownTask(name: string, known: readonly string[]): FanfoldError {
  const near = nearest(name, known);
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  const list = known.length > 0 ? known.join(', ') : 'none';
  return new FanfoldError(
    'UnknownTask',
    `There is no task named "${name}".${hint} Known tasks: ${list}.`,
  );
}

function raise(error: Error): never {
  throw error;
}
