import { styleText } from 'node:util';
import { printable, printableJsonLines } from '../inputs/printable.ts';
import { above } from './live-line.ts';

/**
 * Writes one line to the human, on standard error: standard output is for results alone. Messages
 * quote text from elsewhere (errors, tags, file names), so nothing in them may act on the terminal.
 */
export function say(message: string): void {
  process.stderr.write(above(`fanfold: ${printable(message)}\n`));
}

/** Writes one line of a command's answer to standard output. */
export function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

/** Writes a value as one line of JSON to standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${printableJsonLines(JSON.stringify(value))}\n`);
}

/** As `print`, with a coloured word before it where standard output is a terminal with colours. */
export function printBadged(style: Parameters<typeof styleText>[0], word: string, line: string) {
  process.stdout.write(`${styleText(style, printable(word))}${printable(line)}\n`);
}

/** Such as `1 input`, `2 inputs`. */
export function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
