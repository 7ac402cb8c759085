import { Logger } from '@aws-lambda-powertools/logger';
import type { WriteLog } from '../pipeline/working/log-line.ts';

/**
 * Writes lines of JSON to the process's output with Powertools for AWS Lambda. The environment's
 * POWERTOOLS_SERVICE_NAME names the service in them, and POWERTOOLS_LOG_LEVEL sets the lowest
 * level.
 */
export function powertoolsLog(): WriteLog {
  const logger = new Logger();
  return (level, message, fields, line) =>
    logger[level](message, { ...fields, ...(line === undefined ? {} : { line }) });
}
