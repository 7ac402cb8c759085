import { FanfoldError, messageOf, nameOf } from '../errors.ts';
import { TaskRegistry } from '../task-registry.ts';
import { logFailure, type WatchOptions } from './telemetry.ts';

/** A tasks module's exports, or a function that imports it: `() => import('./tasks/index.ts')`. */
export type Tasks = object | (() => Promise<object>);

/**
 * Time limit for loading a tasks module, in seconds: a worker holds a chunk meanwhile. Lambda's own
 * limit is the function's timeout.
 */
const LOAD_SECONDS = 120;

/** The error for a tasks module that can't be loaded, whatever it throws or awaits. */
export class TasksNotLoaded extends FanfoldError {
  constructor(cause: unknown) {
    const of = cause instanceof FanfoldError ? '' : `${nameOf(cause)}: `;
    super('BadTask', `The tasks module could not be loaded: ${of}${messageOf(cause)}`, { cause });
  }
}

/**
 * The tasks of a handler. If a function imports their module, it is called when they are first
 * needed. Lambda cuts INIT off after 10 s and loads everything again in the first invocation, and
 * an INIT that throws hides its message for the queue's visibility timeout.
 *
 * The outcome is kept for the life of the process, failures too: Node does not run a module twice,
 * and some versions of esbuild return an empty module the second time.
 */
export function lazyTasks(tasks: Tasks): () => Promise<TaskRegistry> {
  if (typeof tasks !== 'function') {
    const registry = registryOf(tasks);
    return () => Promise.resolve(registry);
  }
  let loading: Promise<TaskRegistry> | undefined;
  return () => {
    loading ??= load(tasks as () => Promise<object>);
    return loading;
  };
}

async function load(importModule: () => Promise<object>): Promise<TaskRegistry> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `it was still loading after ${LOAD_SECONDS} s. Its top-level await may never settle.`;
      reject(new FanfoldError('BadTask', message));
    }, LOAD_SECONDS * 1000);
  });
  try {
    return registryOf(await Promise.race([importModule(), tooLate]));
  } catch (error) {
    throw new TasksNotLoaded(error);
  } finally {
    clearTimeout(timer);
  }
}

function registryOf(tasks: object): TaskRegistry {
  return tasks instanceof TaskRegistry ? tasks : TaskRegistry.fromModule(tasks);
}

/**
 * Logs an error that ends an invocation. If the tasks module did not load, also ends the process:
 * the module stays failed in it, and may load in the next one if only a network had failed.
 */
export function endInvocation(options: WatchOptions, error: unknown): void {
  if (!(error instanceof TasksNotLoaded)) {
    logFailure(options, 'The invocation failed', error);
    return;
  }
  // Logs the module's own error, whose stack shows the place.
  logFailure(options, 'The tasks module could not be loaded', error.cause);
  options.exit?.();
}
