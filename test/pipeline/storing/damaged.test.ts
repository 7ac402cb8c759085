// What a reader is told of a folder that others have changed.
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { createS3Client, S3 } from '../../../src/emulator/s3/index.ts';
import { manifestAtEnd } from '../../../src/pipeline/storing/follow.ts';
import { linesInRanges, linesOf } from '../../../src/pipeline/storing/part-reader.ts';
import { readManifest } from '../../../src/pipeline/storing/read.ts';

const folder = { bucket: 'damaged-in-tests', prefix: 'runs/one/' };
const LEDGER = { inputs: 1, ok: 1, failed: 0, cancelled: 0 };
const PART = { key: 'results/1.jsonl', kind: 'results', bytes: 9, results: 1, indexes: [0, 0] };
const WHOLE = {
  ...{ v: 1, runId: 'one', task: 'half', format: 'jsonl', folder: 's3://damaged-in-tests/' },
  ...{ ledger: LEDGER, parts: [PART], failures: [] },
};

function emptyFolder() {
  const objects = new S3();
  objects.addBucket(folder.bucket);
  return createS3Client(objects);
}

/** Reads a manifest with this text. */
async function read(text: string) {
  const s3 = emptyFolder();
  const Key = `${folder.prefix}manifest.json`;
  await s3.send(new PutObjectCommand({ Bucket: folder.bucket, Key, Body: text }));
  return readManifest(s3, folder);
}

const refused = (code: string, words: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(words) });

it.each([
  ' ',
  '{',
  '{}',
  '[]',
  'null',
  JSON.stringify({ ...WHOLE, v: 2 }),
  JSON.stringify({ ...WHOLE, ledger: {} }),
  JSON.stringify({ ...WHOLE, parts: [{}] }),
  JSON.stringify({ ...WHOLE, failures: [null] }),
])('no manifest: %s', async (text) => {
  await expect(read(text)).rejects.toEqual(
    refused('BadMessage', 'runs/one/manifest.json must be the manifest of a run'),
  );
});

it('the manifest of another run is refused, and that of the folder’s run is read', async () => {
  expect(await read(JSON.stringify(WHOLE))).toEqual(WHOLE);
  await expect(read(JSON.stringify({ ...WHOLE, runId: 'two' }))).rejects.toEqual(
    refused('BadMessage', 'of run one; got that of run two'),
  );
});

it('a part that is missing is named', async () => {
  const s3 = emptyFolder();
  const missing = refused('RunFailed', 's3://damaged-in-tests/runs/one/results/1.jsonl is missing');
  await expect(Array.fromAsync(linesOf(s3, folder, PART))).rejects.toEqual(missing);
  const ranges = linesInRanges(s3, folder, PART, { rangeBytes: 5 });
  await expect(Array.fromAsync(ranges)).rejects.toEqual(missing);
});

it('waiting for the run of a folder without one says so', async () => {
  const signal = new AbortController().signal;
  // The run is over, so nothing of the deployment is asked.
  const deployment = {} as never;
  const about = { deployment, s3: emptyFolder(), folder, runId: 'one', onStatus() {}, signal };
  await expect(manifestAtEnd({ ...about, isOver: true })).rejects.toEqual(
    refused('UnknownRun', 's3://damaged-in-tests/runs/one/ does not hold the results of a run'),
  );
});
