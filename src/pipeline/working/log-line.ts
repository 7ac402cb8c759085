import { inspect } from 'node:util';
import type { TaskLog } from '../../task.ts';
import { plainErrors, shorten } from '../../thrown.ts';

/** A line that a task logged with `context.log`, or printed in a worker process. */
export interface LogLine {
  /** Time in UTC: `2026-11-30T12:00:00.000Z`. */
  time: string;
  /**
   * Severity. Printed text has that of the console's method. Past the console, it is `info` on
   * standard output and `warn` on standard error.
   */
  level: keyof TaskLog;
  /** The run; like the next four, undefined for lines of no attempt, such as those of a `setup`. */
  runId?: string;
  /** Index of the input in the run. */
  index?: number;
  /** Name of the task. */
  task?: string;
  /** Number of the attempt at the input, from 1. */
  attempt?: number;
  /** Number of the line in its attempt, from 1. */
  line?: number;
  /** Name of the worker; undefined for tasks in the process that started the run. */
  worker?: string;
  /** The message, or the printed text. Longer ones are cut to about 16,000 characters. */
  message: string;
  /** The fields of the message. If they are too long, `cut` holds the beginning of their JSON. */
  fields?: Record<string, unknown>;
}

/** Writes one line of a log. `fields` have `runId`, `index`, `task` and `attempt`, if known. */
export type WriteLog = (
  level: keyof TaskLog,
  message: string,
  fields: object,
  /** Number of the line in its attempt. */
  line?: number,
) => void;

/** Characters of a message, or of the JSON of its fields: no line can fill a log or a terminal. */
const MOST_LENGTH = 16_000;

/** Formats a `LogLine` as JSON. */
export function logText(
  level: keyof TaskLog,
  message: unknown,
  fields: object,
  more: { line?: number | undefined; worker?: string | undefined },
): string {
  const { runId, index, task, attempt, ...own } = fields as Partial<LogLine>;
  const time = new Date().toISOString();
  const text = typeof message === 'string' ? message : inspect(message);
  const about = { time, level, runId, index, task, attempt, ...more };
  const line = JSON.stringify({ ...about, message: shorten(text, MOST_LENGTH) });
  const json = jsonOf(own);
  if (json === '{}') return line;
  const shown =
    json.length > MOST_LENGTH ? JSON.stringify({ cut: shorten(json, MOST_LENGTH) }) : json;
  return `${line.slice(0, -1)},"fields":${shown}}`;
}

/** Inspects values that JSON can't hold (a circle, a BigInt): a log must not fail its task. */
function jsonOf(fields: object): string {
  try {
    // A `toJSON` of the fields may return nothing.
    return JSON.stringify(fields, plainErrors) ?? '{}';
  } catch {
    const shown = Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === 'object' || typeof value === 'bigint' ? inspect(value) : value,
    ]);
    return JSON.stringify(Object.fromEntries(shown));
  }
}

/** Writes a line of JSON to the console. */
export const writeToConsole: WriteLog = (level, message, fields, line) =>
  console[level](logText(level, message, fields, { line }));
