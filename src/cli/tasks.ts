import type { Command } from 'commander';
import { print, say } from './log.ts';
import { findTasksModule, shippedTasks } from './tasks-module.ts';

/** `fanfold tasks`: prints the names of the tasks that can be run, one per line. */
export function addTasks(program: Command): void {
  program
    .command('tasks')
    .description('list the tasks that can be run')
    .option('--tasks <module>', 'the tasks module')
    .action(async (options: { tasks?: string }) => {
      const { path, shipped } = findTasksModule(options.tasks);
      const names = shipped ? await shippedTasks() : await tasksOf(path);
      say(`tasks of ${path}${shipped ? ' (built in)' : ''}`);
      for (const name of names) print(name);
    });
}

/** Loads what starts a worker process, which the built-in tasks do not need. */
async function tasksOf(path: string): Promise<readonly string[]> {
  const { tasksOf } = await import('./tasks-of.ts');
  return tasksOf(path);
}
