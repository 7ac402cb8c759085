import * as tasks from '#shipped-tasks';
import { seedHandler } from '../src/handlers.ts';

export const handler = seedHandler(tasks);
