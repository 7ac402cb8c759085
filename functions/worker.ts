import {
  burstHandler,
  powertoolsLog,
  powertoolsMetrics,
  Setups,
  type WatchOptions,
  workerHandler,
} from '../src/handlers.ts';

const watching: WatchOptions = {
  log: powertoolsLog(),
  metrics: powertoolsMetrics(),
  exit: () => process.exit(1),
};

const setups = new Setups();

// Lambda sends it where the function has an extension, and waits for half a second, or for two.
process.on('SIGTERM', () => void setups.close().then(() => process.exit(0)));

/**
 * Loads the tasks: an invocation does, and synthesis, which checks the finished bundle. Not INIT: what
 * it throws there costs its message the queue's visibility timeout.
 */
export const loadTasks = () => import('#shipped-tasks');

export const handler = workerHandler(loadTasks, { ...watching, setups });
export const burst = burstHandler(loadTasks, { ...watching, setups });
