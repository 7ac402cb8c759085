import type { Lines } from './blocks.ts';
import { type Encoding, encodeResults } from './encode.ts';
import { ParquetFile } from './parquet.ts';

/** A file of results that one process begins, and others may continue. */
export interface GrowingFile {
  /** The next bytes, which hold these results. A process calls it once. */
  add(lines: Lines): AsyncIterable<Uint8Array>;
  /** The last bytes. */
  end(): Uint8Array;
  /** What the next process needs; undefined if it needs nothing. */
  save(): Uint8Array | undefined;
}

/**
 * Begins a file, or continues one. A file that is compressed as a whole has a gzip member or a zstd
 * frame of each process, since no compressor can be continued elsewhere.
 *
 * @param before what the process before saved; undefined for a new file
 */
export function openFile(
  encoding: Encoding,
  before?: { saved: Uint8Array | undefined },
): GrowingFile {
  if (encoding.format === 'parquet') {
    return new ParquetFile({ compression: undefined, ...encoding }, before?.saved);
  }
  const isContinued = before !== undefined;
  const continued = encoding.format === 'csv' ? { ...encoding, isContinued } : encoding;
  return {
    add: (lines) => encodeResults(lines, continued),
    end: () => new Uint8Array(),
    save: () => undefined,
  };
}
