import { openCsv } from './csv.ts';
import { openJsonLines, openTextLines } from './lines.ts';
import type { OpenedInputs } from './opened.ts';
import type { Source } from './source.ts';

export type Format = 'jsonl' | 'csv' | 'text';

const OPENERS: Readonly<Record<Format, (source: Source) => OpenedInputs>> = {
  jsonl: openJsonLines,
  csv: openCsv,
  text: openTextLines,
};

const EXTENSIONS: Readonly<Record<string, Format>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.txt': 'text',
};

/** The formats' names, and the extensions that tell them. */
export const FORMATS = Object.keys(OPENERS) as readonly Format[];
export const FORMAT_EXTENSIONS: readonly string[] = Object.keys(EXTENSIONS);

export function openAs(format: Format, source: Source): OpenedInputs {
  return OPENERS[format](source);
}

/** The format that a name's extension tells; undefined where it tells none. */
export function formatOf(name: string): Format | undefined {
  const [extension = ''] = /(?<=[^/])\.[^./]*$/.exec(name) ?? [];
  return EXTENSIONS[extension.toLowerCase()];
}
