export type Format = 'jsonl' | 'csv' | 'text';

const EXTENSIONS: Readonly<Record<string, Format>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.txt': 'text',
};

/** The extensions that imply a format. */
export const FORMAT_EXTENSIONS: readonly string[] = Object.keys(EXTENSIONS);

/** The format that a name's extension implies; undefined if it implies none. */
export function formatOf(name: string): Format | undefined {
  const [extension = ''] = /(?<=[^/])\.[^./]*$/.exec(name) ?? [];
  return EXTENSIONS[extension.toLowerCase()];
}
