import type { WriteLog } from '../pipeline/working/attempt.ts';
import { describeThrown } from '../thrown.ts';

/**
 * Lines of JSON with the fields of Powertools' logger, which the seed has no room for beside its
 * three AWS clients: a function's code is loaded at each cold start. It writes past the console,
 * which Lambda would wrap each line of once more.
 */
export function jsonLog(): WriteLog {
  const service = process.env.POWERTOOLS_SERVICE_NAME;
  return (level, message, fields) => {
    const timestamp = new Date().toISOString();
    const line = { level: level.toUpperCase(), message, timestamp, service, ...fields };
    process.stdout.write(`${JSON.stringify(line, plainErrors)}\n`);
  };
}

/** An error has nothing that JSON would show. */
function plainErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? describeThrown(value) : value;
}
