import { connect } from '../index.ts';

/** The names of the tasks of a module, which a worker process loads: its code may do anything. */
export async function tasksOf(path: string): Promise<readonly string[]> {
  await using fanfold = await connect({ tasks: path, workers: 1 });
  return fanfold.tasks ?? [];
}
