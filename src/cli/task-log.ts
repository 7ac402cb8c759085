import { styleText } from 'node:util';
import { type LogLine, withCauses } from '../index.ts';
import { printableJsonLines, printableLines } from '../inputs/printable.ts';
import { above } from './live-line.ts';
import { type LogLevel, prints } from './log-level.ts';
import type { KeptLog } from './resume/kept-log.ts';

/** The log of the tasks of a run on this machine: printed and, beside an output file, kept. */
export class TaskLog {
  readonly #least: LogLevel;
  #kept: KeptLog | undefined;

  /** @param least least important lines to print; all are kept */
  constructor(least: LogLevel) {
    this.#least = least;
  }

  readonly onLog = (line: LogLine): void => {
    printTaskLine(line, this.#least);
    this.#kept?.add(line);
  };

  keepIn(kept: KeptLog | undefined): void {
    this.#kept = kept;
  }

  [Symbol.dispose](): void {
    this.#kept?.close();
  }
}

/**
 * Writes a line of a task's log to standard error, if its level is to be printed: on a terminal as
 * a line for people, above the live line; otherwise as one line of JSON.
 */
export function printTaskLine(line: LogLine, least: LogLevel): void {
  if (!prints(least, line.level)) return;
  const { stderr } = process;
  if (!stderr.isTTY) {
    stderr.write(`${printableJsonLines(JSON.stringify(line))}\n`);
    return;
  }
  const { task, index, attempt, worker, time } = line;
  const whose = index === undefined ? worker : `${task} ${index}${attemptOf(attempt)}`;
  const clock = new Date(time).toTimeString().slice(0, 8);
  const text = `${clock} ${levelOf(line, stderr)} ${whose}: ${textOf(line)}\n`;
  stderr.write(above(printableLines(text)));
}

function attemptOf(attempt = 1): string {
  return attempt === 1 ? '' : `, attempt ${attempt}`;
}

const STYLES = { debug: 'dim', info: [], warn: 'yellow', error: 'red' } as const;

/** A line's level, in columns of one width, and coloured if the stream is a terminal with colours. */
function levelOf({ level }: LogLine, stream: NodeJS.WriteStream): string {
  return styleText([STYLES[level]].flat(), level.toUpperCase().padEnd(5), { stream });
}

/** A line's message and fields, for people. */
export function textOf({ message, fields = {} }: LogLine): string {
  const shown = Object.entries(fields).map(([key, value]) => ` ${key}=${shownValue(value)}`);
  // A progress display begins at the start of its line.
  return `${message.replace(/^[\r\n]+|[\r\n]+$/g, '')}${shown.join('')}`;
}

function shownValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  const { name, message } = Object(value) as { name?: unknown; message?: unknown };
  if (typeof name !== 'string' || typeof message !== 'string') return JSON.stringify(value);
  // A description of an error.
  return JSON.stringify(`${name}: ${withCauses({ ...Object(value), message })}`);
}
