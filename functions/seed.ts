import { seedHandler } from '../src/handlers.ts';
import * as tasks from './tasks/index.ts';

export const handler = seedHandler(tasks);
