import { deserialize, serialize } from 'node:v8';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { blocksOf, type Lines } from './blocks.ts';
import type { Column, Columns, ColumnType } from './columns.ts';
import type { Compression } from './formats.ts';
import { type Row, type RowOptions, RowReader } from './rows.ts';
import type { Cell } from './values.ts';

/** Size of a row group, as text of its results: it bounds the memory that encoding takes. */
const GROUP_CHARACTERS = 4 * 1024 * 1024;

const GROUP_ROWS = 100_000;

type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema'];

const ELEMENTS: Readonly<Record<ColumnType, Omit<Schema[number], 'name'>>> = {
  boolean: { type: 'BOOLEAN' },
  integer: { type: 'INT64' },
  double: { type: 'DOUBLE' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  json: { type: 'BYTE_ARRAY', converted_type: 'JSON', logical_type: { type: 'JSON' } },
};

/** While it writes, the library takes the text as it is: it would make JSON of a JSON column's. */
const WRITTEN: typeof ELEMENTS = { ...ELEMENTS, json: { type: 'BYTE_ARRAY' } };

/** Encodes results as Parquet, row group by row group. */
export async function* encodeParquet(
  lines: Lines,
  options: ParquetOptions,
): AsyncGenerator<Uint8Array, void> {
  const file = new ParquetFile(options);
  yield* file.add(lines);
  yield file.end();
}

export interface ParquetOptions extends RowOptions {
  /** Of pages. @default snappy, which each reader knows */
  compression: Compression | undefined;
}

/** What a file's footer has of the row groups before it. */
type Groups = Pick<ParquetWriter, 'row_groups' | 'num_rows' | 'pendingIndexes'>;

/** A Parquet file that is being written. Another process may continue it after a row group. */
export class ParquetFile {
  readonly #options: ParquetOptions;
  readonly #bytes = new DrainedWriter();
  readonly #file: ParquetWriter;

  /** @param saved by `save`, to continue a file. @default a new file */
  constructor(options: ParquetOptions, saved?: Uint8Array) {
    this.#options = options;
    const { columns, compression } = options;
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema: schemaOf(columns, WRITTEN),
      createdBy: 'fanfold',
      codec: compression === 'gzip' ? 'GZIP' : compression === 'zstd' ? 'ZSTD' : 'SNAPPY',
      compressors: { GZIP: (page) => gzipSync(page), ZSTD: (page) => zstdCompressSync(page) },
    });
    if (saved === undefined) return;
    const { offset, ...groups } = deserialize(saved) as Groups & { offset: number };
    Object.assign(this.#file, groups);
    this.#bytes.drain();
    this.#bytes.offset = offset;
  }

  /** Adds rows. The last row group ends with them. */
  async *add(lines: Lines): AsyncGenerator<Uint8Array, void> {
    const { columns } = this.#options;
    const reader = new RowReader(this.#options);
    let group = new Group(columns);
    for await (const block of blocksOf(lines)) {
      for (const line of block) {
        const row = reader.read(line);
        if (row === undefined) continue;
        group.add(row, line.length);
        if (!group.isFull) continue;
        this.#file.write(group);
        group = new Group(columns);
        yield this.#bytes.drain();
      }
    }
    if (group.rowGroupSize > 0) this.#file.write(group);
    yield this.#bytes.drain();
  }

  /** The footer. */
  end(): Uint8Array {
    this.#file.schema = schemaOf(this.#options.columns, ELEMENTS);
    this.#file.finish();
    return this.#bytes.drain();
  }

  /** What another process needs to continue the file. */
  save(): Uint8Array {
    const { row_groups, num_rows, pendingIndexes } = this.#file;
    const groups: Groups = { row_groups, num_rows, pendingIndexes };
    return serialize({ offset: this.#bytes.offset, ...groups });
  }
}

function schemaOf(columns: Columns, elements: typeof ELEMENTS): Schema {
  return [
    { name: 'root', num_children: columns.length + 1 },
    { name: 'index', type: 'INT64', repetition_type: 'REQUIRED' },
    ...columns.map(({ name, type }) => ({
      name,
      ...elements[type],
      repetition_type: 'OPTIONAL' as const,
    })),
  ];
}

/** Rows that become a row group, column by column. */
class Group {
  readonly #columns: Columns;
  readonly #indexes: bigint[] = [];
  readonly #cells: Cell[][];
  #characters = 0;

  constructor(columns: Columns) {
    this.#columns = columns;
    this.#cells = columns.map(() => []);
  }

  add({ index, cells }: Row, characters: number): void {
    this.#indexes.push(BigInt(index));
    for (const [at, values] of this.#cells.entries()) values.push(cells[at] ?? null);
    this.#characters += characters;
  }

  get isFull(): boolean {
    return this.#characters >= GROUP_CHARACTERS || this.#indexes.length >= GROUP_ROWS;
  }

  get rowGroupSize(): number {
    return this.#indexes.length;
  }

  get columnData() {
    return [
      { name: 'index', data: this.#indexes },
      ...this.#columns.map((column, at) => sourceOf(column, this.#cells[at] ?? [])),
    ];
  }
}

function sourceOf({ name, type }: Column, cells: Cell[]) {
  switch (type) {
    case 'integer':
      return { name, data: cells.map((cell) => (typeof cell === 'number' ? BigInt(cell) : cell)) };
    case 'double':
      // The library's dictionaries take -0 for 0.
      return { name, data: cells, encoding: 'PLAIN' as const };
    case 'json':
      // The library shortens the bounds of other texts.
      return { name, data: cells, statistics: false };
    default:
      return { name, data: cells };
  }
}

/** Collects bytes until they are taken. */
class DrainedWriter extends ByteWriter {
  drain(): Uint8Array {
    const bytes = this.getBytes();
    this.buffer = new ArrayBuffer(1024);
    this.view = new DataView(this.buffer);
    this.index = 0;
    return bytes;
  }
}
