import type { Batch, Read } from './batch.ts';
import { readCsv } from './csv.ts';
import { readJsonLines, readTextLines } from './lines.ts';
import { Places } from './places.ts';
import { BEGINNING, type Position, type Source } from './source.ts';

/** `jsonl`: a JSON value a line; `csv`: a header row, then objects of texts; `text`: a text a line. */
export type Format = 'jsonl' | 'csv' | 'text';

const READ: Record<Format, Read> = {
  jsonl: readJsonLines,
  csv: readCsv,
  text: readTextLines,
};

const FORMATS: Record<string, Format> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.txt': 'text',
};

/** The ends of names that tell a format. */
export const EXTENSIONS: readonly string[] = Object.keys(FORMATS);

export function isFormat(format: unknown): format is Format {
  return typeof format === 'string' && Object.hasOwn(READ, format);
}

/** @param extension with its dot. Undefined where it tells nothing. */
export function formatOf(extension: string): Format | undefined {
  return FORMATS[extension.toLowerCase()];
}

/** Inputs that are read. */
export interface Reading {
  /** They stream: memory does not grow with the source. */
  batches(): AsyncIterable<Batch>;
  /** Where an input stands that has been read here, such as `inputs.jsonl, line 17`. */
  locate(index: number): string;
}

/** @param from where to begin: a batch's end, of the same source */
export function read(format: Format, source: Source, from: Position = BEGINNING): Reading {
  const places = new Places(source.name, from.line - from.index);
  return {
    batches: () => READ[format](source, places, from),
    locate: (index) => places.locate(index),
  };
}
