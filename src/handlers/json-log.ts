import type { WriteLog } from '../pipeline/working/log-line.ts';
import { plainErrors } from '../thrown.ts';

/**
 * Writes lines of JSON with the fields of Powertools' logger. The seed has no room for that logger
 * beside its three AWS clients: a function's code is loaded at each cold start. It bypasses the
 * console, because Lambda would wrap each line once more.
 */
export function jsonLog(): WriteLog {
  const service = process.env.POWERTOOLS_SERVICE_NAME;
  return (level, message, fields) => {
    const timestamp = new Date().toISOString();
    const line = { level: level.toUpperCase(), message, timestamp, service, ...fields };
    process.stdout.write(`${JSON.stringify(line, plainErrors)}\n`);
  };
}
