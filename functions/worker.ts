import * as tasks from '#shipped-tasks';
import { burstHandler, workerHandler } from '../src/handlers.ts';

export const handler = workerHandler(tasks);
export const burst = burstHandler(tasks);
