import type { Command } from 'commander';
import { connect } from '../index.ts';
import { print, say } from './log.ts';
import { findTasksModule } from './tasks-module.ts';

/** `fanfold tasks`: prints the names of the tasks that can be run, one per line. */
export function addTasks(program: Command): void {
  program
    .command('tasks')
    .description('list the tasks that can be run')
    .option('--tasks <module>', 'the tasks module')
    .action(async (options: { tasks?: string }) => {
      const { path, shipped } = findTasksModule(options.tasks);
      await using fanfold = await connect({ tasks: path, workers: 1 });
      say(`tasks of ${path}${shipped ? ' (built in)' : ''}`);
      for (const name of fanfold.tasks ?? []) print(name);
    });
}
