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

/** Run by an invocation: what a function's INIT throws costs its message its visibility timeout. */
const tasks = () => import('#shipped-tasks');

export const handler = workerHandler(tasks, watching);
export const burst = burstHandler(tasks, watching);
