import { blocksOf, type Lines } from './blocks.ts';
import { type RowOptions, RowReader } from './rows.ts';
import type { Cell } from './values.ts';

export interface CsvOptions extends RowOptions {
  /** Whether the header was written before. @default false */
  isContinued?: boolean | undefined;
}

/**
 * Encodes results as CSV, by RFC 4180: a header, and a row for each result. A null is an empty
 * field without quotes; an empty string has quotes.
 */
export async function* encodeCsv(
  lines: Lines,
  options: CsvOptions,
): AsyncGenerator<Uint8Array, void> {
  const { columns, isContinued } = options;
  const reader = new RowReader(options);
  const header = `index${columns.map(({ name }) => `,${quoted(name)}`).join('')}\r\n`;
  let text = isContinued ? '' : header;
  for await (const block of blocksOf(lines)) {
    for (const line of block) {
      const row = reader.read(line);
      if (row === undefined) continue;
      text += row.index;
      for (const cell of row.cells) text += `,${fieldOf(cell)}`;
      text += '\r\n';
    }
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function fieldOf(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return quoted(cell);
  return Object.is(cell, -0) ? '-0' : String(cell);
}

/** Also matches white space at the ends, which some readers would remove. */
const NEEDS_QUOTES = /[",\r\n]|^$|^\s|\s$/;

function quoted(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
