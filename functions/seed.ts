import * as tasks from '#shipped-tasks';
import { jsonLog, s3Inputs, seedHandler } from '../src/handlers.ts';

export const handler = seedHandler(tasks, { log: jsonLog(), s3: s3Inputs() });
