import type { Lines } from './blocks.ts';
import type { Columns, OnMisfit, OnRow } from './columns.ts';
import { compressed } from './compressed.ts';
import { encodeCsv } from './csv.ts';
import type { Compression, Format } from './formats.ts';
import { encodeJsonl } from './jsonl.ts';
import { encodeParquet } from './parquet.ts';

/** How results are encoded. */
export type Encoding = LinesEncoding | TableEncoding;

interface LinesEncoding {
  format: 'jsonl';
  /** @default none */
  compression?: Compression | undefined;
}

export interface TableEncoding {
  format: Exclude<Format, 'jsonl'>;
  /** @default none for `csv`, snappy for `parquet` */
  compression?: Compression | undefined;
  columns: Columns;
  /** Receives each line that the columns do not fit: it is not in the table. */
  onMisfit: OnMisfit;
  /** Receives the index of each result that is in the table. */
  onRow?: OnRow;
  /** Whether a table in CSV has its header already. @default false */
  isContinued?: boolean;
}

/**
 * Encodes results as the bytes of one file. Memory is bounded, however many there are: only a
 * Parquet row group, a few MiB, is held at once.
 *
 * @param lines JSON text of each result. `jsonl` takes any; a table takes `ok` results, and
 * regards others as misfits
 */
export async function* encodeResults(
  lines: Lines,
  encoding: Encoding,
): AsyncGenerator<Uint8Array, void> {
  switch (encoding.format) {
    case 'jsonl':
      yield* compressed(encodeJsonl(lines), encoding.compression);
      break;
    case 'csv': {
      yield* compressed(encodeCsv(lines, encoding), encoding.compression);
      break;
    }
    case 'parquet':
      yield* encodeParquet(lines, { compression: undefined, ...encoding });
      break;
  }
}
