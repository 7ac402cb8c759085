import { Logger } from '@aws-lambda-powertools/logger';
import type { WriteLog } from '../pipeline/working/attempt.ts';

/**
 * Lines of JSON by Powertools for AWS Lambda, on the process's own output: the environment's
 * POWERTOOLS_SERVICE_NAME names the service in them, POWERTOOLS_LOG_LEVEL what is left out.
 */
export function powertoolsLog(): WriteLog {
  const logger = new Logger();
  return (level, message, fields) => logger[level](message, { ...fields });
}
