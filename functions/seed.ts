import { jsonLog, s3Inputs, seedHandler } from '../src/handlers.ts';

/** Loads the tasks: an invocation does, and synthesis, which checks the finished bundle. */
export const loadTasks = () => import('#shipped-tasks');

export const handler = seedHandler(loadTasks, {
  log: jsonLog(),
  s3: s3Inputs(),
  exit: () => process.exit(1),
});
