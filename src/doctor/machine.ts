import { FanfoldError, messageOf } from '../errors.ts';
import { openTasks } from '../loading/tasks-module.ts';
import { factsOf, type TaskFacts } from '../task.ts';
import { loadTasks } from '../worlds/processes.ts';
import { type Check, ok, problem, unknown } from './finding.ts';

/** The tasks of a module on this machine, or the error that prevents loading it. */
export type TasksHere = { tasks: readonly TaskFacts[] } | { error: FanfoldError };

export async function tasksHere(path: string): Promise<TasksHere> {
  try {
    return { tasks: (await loadTasks(openTasks(path))).all().map(factsOf) };
  } catch (error) {
    if (error instanceof FanfoldError) return { error };
    throw error;
  }
}

/** Node's major version on Lambda, which package.json's `engines` requires. */
const NODE = 24;

export const node: Check<unknown> = {
  title: 'node',
  async run() {
    const { node: version } = process.versions;
    if (Number.parseInt(version, 10) >= NODE) return ok(`Node ${version} runs this command.`);
    return problem(
      `Node ${version} runs this command, which needs ${NODE}.`,
      `npm i -D node@${NODE}`,
    );
  },
};

/** Checks that the tasks module loads. Another check compares it with the deployed tasks. */
export const tasksModule: Check<TasksHere | undefined> = {
  title: 'tasks module',
  async run(here) {
    if (here === undefined) {
      return unknown(
        'No tasks module is named.',
        'Name it with --tasks MODULE, or in package.json: "fanfold": { "tasks": "src/tasks.ts" }.',
      );
    }
    if ('error' in here) return problem(messageOf(here.error), 'Correct the tasks module.');
    return ok(`The tasks module loads, with ${here.tasks.map(({ name }) => name).join(', ')}.`);
  },
};
