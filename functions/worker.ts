import {
  burstHandler,
  powertoolsLog,
  powertoolsMetrics,
  type WatchOptions,
  workerHandler,
} from '../src/handlers.ts';

const watching: WatchOptions = {
  log: powertoolsLog(),
  metrics: powertoolsMetrics(),
  exit: () => process.exit(1),
};

/**
 * Loads the tasks: an invocation does, and synthesis, which checks the finished bundle. Not INIT: what
 * it throws there costs its message the queue's visibility timeout.
 */
export const loadTasks = () => import('#shipped-tasks');

export const handler = workerHandler(loadTasks, watching);
export const burst = burstHandler(loadTasks, watching);
