import { writeSync } from 'node:fs';
import { type LogLine, logText, type WriteLog } from '../pipeline/working/log-line.ts';

/** File descriptor of the pipe to which a worker process writes its log. */
const DESCRIPTOR = 5;

/**
 * Writes a worker's log lines to the pipe to its supervisor. A write blocks while the pipe is full:
 * lines that were kept in memory would be lost when the process is killed.
 */
export function logToPipe(worker: string): WriteLog {
  return (level, message, fields, line) => {
    const bytes = Buffer.from(`${logText(level, message, fields, { line, worker })}\n`);
    try {
      for (let from = 0; from < bytes.length; ) from += writeSync(DESCRIPTOR, bytes, from);
    } catch {
      // The supervisor is gone, so this process is about to end as well.
    }
  };
}

/** Reads a line from the pipe; undefined if it is not one, because other code wrote to the pipe. */
export function readLogLine(text: string): LogLine | undefined {
  try {
    // Only this file writes lines that begin so.
    return text.startsWith('{"time":"') ? (JSON.parse(text) as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
