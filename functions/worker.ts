import {
  burstHandler,
  captureConsole,
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

// Lines that tasks print with the console are found by run and index, as those of their log.
captureConsole();

const setups = new Setups();

// Lambda sends SIGTERM if the function has an extension, and waits for half a second, or for two.
process.on('SIGTERM', () => void setups.close().then(() => process.exit(0)));

/**
 * Loads the tasks. Invocations call it, and so does synthesis, to check the finished bundle. An
 * error during INIT would keep the message invisible until the queue's visibility timeout ends.
 */
export const loadTasks = () => import('#shipped-tasks');

export const handler = workerHandler(loadTasks, { ...watching, setups });
export const burst = burstHandler(loadTasks, { ...watching, setups });
