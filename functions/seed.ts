import * as tasks from '#shipped-tasks';
import { powertoolsLog, seedHandler } from '../src/handlers.ts';

export const handler = seedHandler(tasks, { log: powertoolsLog() });
