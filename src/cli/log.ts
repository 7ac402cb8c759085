import { styleText } from 'node:util';
import { printable, printableJsonLines } from '../inputs/printable.ts';
import { above, columnsOf } from './live-line.ts';

const PREFIX = 'fanfold: ';

/**
 * Writes one line for the user to standard error: standard output is for results only. Messages
 * quote foreign text (errors, tags, file names), which must not control the terminal.
 */
export function say(message: string): void {
  process.stderr.write(above(`${PREFIX}${printable(message)}\n`));
}

/** Like `say`, for a line that a person reads first of all: on a terminal, it is cut to one row. */
export function sayShort(message: string): void {
  const line = printable(message);
  const columns = columnsOf() - PREFIX.length;
  const isCut = process.stderr.isTTY === true && line.length > columns;
  // A cut may split a character that takes two UTF-16 units.
  say(isCut ? `${line.slice(0, columns - 1).replace(/[\ud800-\udbff]$/, '')}\u2026` : line);
}

/** Writes one line of a command's output to standard output. */
export function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

/** Writes a value as one line of JSON to standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${printableJsonLines(JSON.stringify(value))}\n`);
}

/** Like `print`, with a word before the line that is coloured if the terminal has colours. */
export function printBadged(style: Parameters<typeof styleText>[0], word: string, line: string) {
  process.stdout.write(`${styleText(style, printable(word))}${printable(line)}\n`);
}

export { count } from '../internal.ts';
