import type { AnyTask } from '../../task.ts';
import type { Attempt } from './attempt.ts';
import { checked } from './schema.ts';

/** Calls the task's function with the input, as its schema returns it if there is one. */
export function call(task: AnyTask, attempt: Attempt, resources: unknown): unknown {
  if (task.input === undefined) return task.run(attempt.input, attempt, resources);
  const input = checked(task.input, attempt.input);
  return input instanceof Promise
    ? input.then((value) => task.run(value, attempt, resources))
    : task.run(input.value, attempt, resources);
}
