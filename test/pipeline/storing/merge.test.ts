import { createHash } from 'node:crypto';
import { GetObjectCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { createS3Client, S3 } from '../../../src/emulator/s3/index.ts';
import { columnsOf } from '../../../src/outputs/columns-of.ts';
import { encodeResults } from '../../../src/outputs/encode.ts';
import type { Compression, Format } from '../../../src/outputs/formats.ts';
import { mergeParts } from '../../../src/pipeline/storing/merge.ts';
import { writeObject } from '../../../src/pipeline/storing/object-writer.ts';
import { linesOf } from '../../../src/pipeline/storing/part-reader.ts';
import { newStoredRun, type Part, type StoredRun } from '../../../src/pipeline/storing/state.ts';
import { okLine, tableIn } from '../../outputs/encoded.ts';

const folder = { bucket: 'merged-in-tests', prefix: 'runs/one/' };
const RESULTS = 3_000;

/** One result in a hundred does not fit the columns of tables. */
const lineOf = (index: number) =>
  okLine(index, index % 100 === 0 ? '{"n":"é"}' : `{"n":${index},"text":"é${index * 7919}"}`);

const numbers = Array.from({ length: RESULTS }, (_, index) => index);

/** A run with sorted parts, over which the indexes are spread. */
async function sortedRun(format: Format, compression: Compression | undefined) {
  const objects = new S3({ minPartBytes: 1 });
  objects.addBucket(folder.bucket);
  const s3 = createS3Client(objects);
  const parts: Part[] = [];
  for (const [at, indexes] of Map.groupBy(numbers, (index) => (index * 7) % 5)) {
    const key = `results/0001-00000${at}.jsonl`;
    const place = { Bucket: folder.bucket, Key: `${folder.prefix}${key}` };
    const content = encodeResults(indexes.map(lineOf), { format: 'jsonl' });
    const { bytes = 0, sha256 = '' } = (await writeObject(s3, place, content)) ?? {};
    const ends: Part['indexes'] = [indexes[0] ?? 0, indexes.at(-1) ?? 0];
    parts.push({ key, kind: 'results', bytes, sha256, results: indexes.length, indexes: ends });
  }
  const options = { runId: 'one', task: 'half', format, compression, ordered: true, expiresAt: 0 };
  const columns = columnsOf(numbers.slice(1, 20).map(lineOf));
  return { s3, run: { ...newStoredRun(options), parts, columns } };
}

/** Merges with collectors each of which has time for some results. Returns their number, too. */
async function merged(
  { s3, run }: Awaited<ReturnType<typeof sortedRun>>,
  each: number,
  before: Partial<StoredRun> = {},
) {
  for (let epoch = 1; ; epoch++) {
    let left = each;
    const signal = Object.defineProperty(new AbortController().signal, 'aborted', {
      get: () => left-- <= 0,
    });
    const now = { ...run, ...before, epoch };
    const result = await mergeParts(now, { s3, folder, signal, pieceBytes: 10_000 });
    if ('parts' in result) return { parts: result.parts, collectors: epoch };
    expect(result.hasProgress).toBe(true);
    before = { merge: result.saved };
  }
}

it.each([
  ['jsonl', undefined],
  ['jsonl', 'gzip'],
  ['jsonl', 'zstd'],
  ['csv', 'gzip'],
  ['parquet', undefined],
] as const)('a merge goes on where it stopped: %s, %s', async (format, compression) => {
  const run = await sortedRun(format, compression);
  const { s3 } = run;
  const { parts, collectors } = await merged(run, 700);
  expect(collectors).toBe(5);
  const [whole, ...others] = parts;
  if (whole === undefined) throw new Error('It has no parts.');
  const Key = `${folder.prefix}${whole.key}`;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: folder.bucket, Key }));
  const content = (await Body?.transformToByteArray()) ?? new Uint8Array();
  expect(whole.bytes).toBe(content.length);
  expect(whole.sha256).toBe(createHash('sha256').update(content).digest('base64'));
  // The first result does not fit the columns of tables.
  expect(whole.indexes).toEqual([format === 'jsonl' ? 0 : 1, RESULTS - 1]);
  if (format === 'jsonl') {
    const lines = (await Array.fromAsync(linesOf(s3, folder, whole))).flat();
    expect(lines).toEqual(numbers.map(lineOf));
    expect(others).toEqual([]);
  } else {
    const table = await tableIn(content, format, run.run.columns, compression);
    const fitting = numbers.filter((index) => index % 100 !== 0);
    expect(table.rows).toEqual(
      fitting.map((index) => [`${index}`, `${index}`, `é${index * 7919}`]),
    );
    expect(whole.results).toBe(fitting.length);
    expect(others.map(({ kind }) => kind)).toEqual(Array(5).fill('other'));
    const lines = await Array.fromAsync(others, (part) =>
      Array.fromAsync(linesOf(s3, folder, part)),
    );
    expect(lines.flat(2)).toEqual(numbers.filter((index) => index % 100 === 0).map(lineOf));
  }
});

it('has no frames of its own if one collector merges all', async () => {
  const run = await sortedRun('jsonl', 'zstd');
  const { parts, collectors } = await merged(run, RESULTS + 1);
  expect([collectors, parts[0]?.frames]).toEqual([1, undefined]);
  const Bucket = folder.bucket;
  const { Uploads } = await run.s3.send(new ListMultipartUploadsCommand({ Bucket }));
  expect(Uploads).toBeUndefined();
});
