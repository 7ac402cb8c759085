import * as tasks from '#shipped-tasks';
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

export const handler = workerHandler(tasks, watching);
export const burst = burstHandler(tasks, watching);
