import { execFile } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { parquetMetadata } from 'hyparquet';
import { expect, it } from 'vitest';
import { columnsOf } from '../../src/outputs/columns-of.ts';
import { encodeResults } from '../../src/outputs/encode.ts';
import { bytesOf, okLine, okLines, tableOf } from './encoded.ts';

const metadataOf = (bytes: Uint8Array) => parquetMetadata(Uint8Array.from(bytes).buffer);

it('is written row group by row group, while results are read', async () => {
  let read = 0;
  function* lines() {
    while (read < 50_000) yield okLine(read, `{"n":${read++},"text":"${'x'.repeat(200)}"}`);
  }
  const columns = columnsOf(okLines(['{"n":1,"text":""}']));
  const readAtChunk: number[] = [];
  const chunks: Uint8Array[] = [];
  const encoded = encodeResults(lines(), { format: 'parquet', columns, onMisfit: () => undefined });
  for await (const chunk of encoded) {
    chunks.push(chunk);
    readAtChunk.push(read);
  }
  expect(readAtChunk[0]).toBeLessThan(25_000);
  const { row_groups: groups, num_rows: rows } = metadataOf(Buffer.concat(chunks));
  expect(rows).toBe(50_000n);
  expect(groups.length).toBeGreaterThan(1);
});

it('keeps the sign of a zero among many zeros', async () => {
  const lines = okLines([...Array<string>(500).fill('0'), '-0', '0.5']);
  const { rows } = await tableOf(lines, 'parquet', columnsOf(lines));
  expect(rows.slice(-3).map(([, value]) => value)).toEqual(['0', '-0', '0.5']);
});

it('does not repeat large values in its footer', async () => {
  const large = 'é'.repeat(300_000);
  const lines = okLines(['1', '2'].map((n) => `{"text":"${n}${large}","json":["${n}${large}"]}`));
  const { bytes, rows } = await tableOf(lines, 'parquet', columnsOf(lines));
  expect(rows[1]).toEqual(['1', `2${large}`, `["2${large}"]`]);
  expect(metadataOf(bytes).metadata_length).toBeLessThan(1_000);
});

it('is the same from a bundle, as deployed functions are', async () => {
  const lines = okLines(['{"a":1,"b":[1]}', '{"a":2,"b":"x"}']);
  const columns = columnsOf(lines);
  const { outputFiles } = await build({
    ...{ bundle: true, platform: 'node', format: 'esm', write: false, minify: true },
    entryPoints: [join(import.meta.dirname, '../../src/outputs/encode.ts')],
  });
  await using folder = await mkdtempDisposable(join(tmpdir(), 'fanfold-'));
  const file = join(folder.path, 'encode.mjs');
  await writeFile(file, outputFiles[0]?.contents ?? '');
  const bundled: { encodeResults: typeof encodeResults } = await import(file);
  const encoding = { format: 'parquet', compression: 'zstd', columns, onMisfit: () => {} } as const;
  expect(await bytesOf(bundled.encodeResults(lines, encoding))).toEqual(
    await bytesOf(encodeResults(lines, encoding)),
  );
});

const READ = `
import json, sys, duckdb, pyarrow.parquet
for name in sys.argv[1:]:
    table = pyarrow.parquet.read_table(name)
    rows = duckdb.sql(f"select * from '{name}' order by 1").fetchall()
    assert rows == [tuple(row.values()) for row in table.to_pylist()]
    types = [str(field.type) for field in table.schema]
    print(json.dumps({'types': types, 'rows': rows}))
`;

/** Set to a Python that has pyarrow and duckdb, to read files with the readers that most use. */
const { TEST_PYTHON } = process.env;

it.skipIf(TEST_PYTHON === undefined)('is read by pyarrow and DuckDB', async () => {
  const lines = okLines([
    '{"a":9007199254740993,"b":1e+308,"c":"\\u0000\\"é\\r\\n","d":true,"e":{"x":[1]},"A":"","a.b":1}',
    '{"a":-9223372036854775808,"b":5e-324,"c":null,"d":false,"e":"s","q\\"u,o":"=1+1"}',
    '{}',
  ]);
  await using folder = await mkdtempDisposable(join(tmpdir(), 'fanfold-'));
  const files = await Promise.all(
    ([undefined, 'gzip', 'zstd'] as const).flatMap((compression) =>
      [lines, []].map(async (some, at) => {
        const { bytes } = await tableOf(some, 'parquet', columnsOf(lines), compression);
        const file = join(folder.path, `${compression}${at}.parquet`);
        await writeFile(file, bytes);
        return file;
      }),
    ),
  );
  const { stdout } = await promisify(execFile)(String(TEST_PYTHON), ['-c', READ, ...files]);
  const [first, none, ...others] = stdout.trim().split('\n');
  expect(others).toEqual([first, none, first, none]);
  expect(none).toContain('"rows": []');
  expect(first).toContain(
    '9007199254740993, 1e+308, "\\u0000\\"\\u00e9\\r\\n", true, "{\\"x\\":[1]}"',
  );
  expect(first).toContain('-9223372036854775808, 5e-324, null, false, "\\"s\\""');
  expect(first).toContain('"int64", "int64", "double", "string", "bool", "extension<arrow.json>"');
});
