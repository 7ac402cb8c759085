import * as tasks from '#shipped-tasks';
import { workerHandler } from '../src/handlers.ts';

export const handler = workerHandler(tasks);
