import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { parquetMetadata, parquetRead } from 'hyparquet';
import type { Columns } from '../../src/outputs/columns.ts';
import { encodeResults } from '../../src/outputs/encode.ts';
import type { Compression, Format } from '../../src/outputs/formats.ts';

/** All bytes that an encoder yields. */
export async function bytesOf(encoded: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(encoded));
}

export function unpack(bytes: Uint8Array, compression: Compression | undefined): Buffer {
  if (compression === 'gzip') return gunzipSync(bytes);
  return compression === 'zstd' ? zstdDecompressSync(bytes) : Buffer.from(bytes);
}

/** The line of an `ok` result. */
export const okLine = (index: number, output: string) =>
  `{"index":${index},"status":"ok","output":${output},"ms":1.5,"worker":"w"}`;

export const okLines = (outputs: readonly string[]) =>
  outputs.map((output, at) => okLine(at, output));

export interface Misfit {
  line: string;
  reason: string;
}

export interface Table {
  bytes: Buffer;
  /** Names of the columns in the file. */
  names: string[];
  /** Values as texts and JSON types. The value of a number is its text. */
  rows: unknown[][];
  misfits: Misfit[];
}

/** Encodes a table and reads it with libraries that others wrote. */
export async function tableOf(
  lines: Iterable<string> | AsyncIterable<string>,
  format: Exclude<Format, 'jsonl'>,
  columns: Columns,
  compression?: Compression,
): Promise<Table> {
  const misfits: Misfit[] = [];
  const onMisfit = (line: string, reason: string) => misfits.push({ line, reason });
  const bytes = await bytesOf(encodeResults(lines, { format, compression, columns, onMisfit }));
  return { bytes, misfits, ...(await tableIn(bytes, format, columns, compression)) };
}

/** Reads a table with libraries that others wrote. */
export async function tableIn(
  bytes: Uint8Array,
  format: Exclude<Format, 'jsonl'>,
  columns: Columns,
  compression?: Compression,
) {
  if (format === 'csv') return readCsv(unpack(bytes, compression), columns);
  return await readParquet(bytes);
}

function readCsv(bytes: Buffer, columns: Columns) {
  const [names = [], ...fields]: (string | null)[][] = parse(bytes, {
    record_delimiter: '\r\n',
    cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
  });
  const rows = fields.map((row) =>
    row.map((field, at) => (columns[at - 1]?.type === 'boolean' ? boolean(field) : field)),
  );
  return { names: names.map(String), rows };
}

const boolean = (field: string | null) => (field === null ? null : field === 'true');

const textOf = (bytes?: Uint8Array) => bytes && Buffer.from(bytes).toString();

async function readParquet(bytes: Uint8Array) {
  const file = Uint8Array.from(bytes).buffer;
  const names = parquetMetadata(file)
    .schema.slice(1)
    .map(({ name }) => name);
  let read: unknown[][] = [];
  await parquetRead({
    file,
    compressors: {
      GZIP: (page) => gunzipSync(page),
      ZSTD: (page) => zstdDecompressSync(page),
    },
    // As texts: by default, numbers in JSON are rounded, and a byte order mark is removed.
    parsers: { jsonFromBytes: textOf, stringFromBytes: textOf },
    onComplete: (rows) => {
      read = rows;
    },
  });
  const rows = read.map((row) =>
    row.map((value) => {
      if (Object.is(value, -0)) return '-0';
      return typeof value === 'number' || typeof value === 'bigint'
        ? String(value)
        : (value ?? null);
    }),
  );
  return { names, rows };
}
