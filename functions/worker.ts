import { workerHandler } from '../src/handlers.ts';
import * as tasks from './tasks/index.ts';

export const handler = workerHandler(tasks);
