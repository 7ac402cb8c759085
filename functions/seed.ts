import { jsonLog, s3Inputs, seedHandler } from '../src/handlers.ts';

/** Loads the tasks. Invocations call it, and so does synthesis, to check the finished bundle. */
export const loadTasks = () => import('#shipped-tasks');

export const handler = seedHandler(loadTasks, {
  log: jsonLog(),
  s3: s3Inputs(),
  exit: () => process.exit(1),
});
