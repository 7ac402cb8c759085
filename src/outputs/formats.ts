/** Formats of result files. `csv` and `parquet` are tables: they have columns. */
export const FORMATS = ['jsonl', 'csv', 'parquet'] as const;

export type Format = (typeof FORMATS)[number];

/** Compressions of result files. In Parquet, the pages are compressed, not the file. */
export const COMPRESSIONS = ['gzip', 'zstd'] as const;

export type Compression = (typeof COMPRESSIONS)[number];

const SUFFIXES: Readonly<Record<Compression, string>> = { gzip: '.gz', zstd: '.zst' };

/** The extension of a result file's name, such as `.jsonl.gz`. */
export function extensionOf(format: Format, compression?: Compression): string {
  if (format === 'parquet' || compression === undefined) return `.${format}`;
  return `.${format}${SUFFIXES[compression]}`;
}
