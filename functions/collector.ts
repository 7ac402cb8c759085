import { collectorHandler, jsonLog } from '../src/handlers.ts';

export const handler = collectorHandler({ log: jsonLog() });
