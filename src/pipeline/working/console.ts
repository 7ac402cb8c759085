import { format } from 'node:util';
import type { TaskLog } from '../../task.ts';
import { currentAttempt } from './task-runner.ts';

/** The console's methods that print text, as Lambda maps them to levels. `trace` calls `error`. */
const LEVELS = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' } as const;

/**
 * Makes what tasks print with the console lines of their own log, with the run, the index and the
 * attempt.
 *
 * @param writeOther receives what other code prints. @default the console prints it as before
 */
export function captureConsole(writeOther?: (level: keyof TaskLog, message: string) => void): void {
  let isWriting = false;
  for (const [method, level] of Object.entries(LEVELS)) {
    const print = console[method as keyof typeof LEVELS];
    console[method as keyof typeof LEVELS] = (...args: unknown[]) => {
      const attempt = currentAttempt();
      // The log itself may write to the console.
      if (isWriting || (attempt === undefined && writeOther === undefined)) {
        print(...args);
        return;
      }
      isWriting = true;
      try {
        if (attempt) attempt.log[level](format(...args));
        else writeOther?.(level, format(...args));
      } finally {
        isWriting = false;
      }
    };
  }
}
