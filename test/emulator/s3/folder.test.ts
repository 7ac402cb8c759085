import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createS3Client, openFolder, S3 } from '../../../src/emulator/s3/index.ts';
import { refusal, TestBucket } from '../../contract/s3/bucket.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'fanfold-s3-')), 'objects');
});
afterEach(() => {
  rmSync(join(folder, '..'), { recursive: true });
});

/** Opens the folder's objects, as a new process would. */
function open() {
  const s3 = new S3({ storage: openFolder(folder) });
  s3.addBucket('results');
  return { s3, bucket: new TestBucket(createS3Client(s3), 'results') };
}

const files = () => readdirSync(folder).filter((name) => name !== 'lock');

it('objects are there again after a restart, with all that is known of them', async () => {
  const first = open();
  const { ETag } = await first.bucket.put('a/../b c', 'one', { Metadata: { epoch: '1' } });
  await first.bucket.put('gone', 'x');
  await first.bucket.delete('gone');
  await first.bucket.put('replaced', 'old');
  await first.bucket.put('replaced', 'new and longer');
  await first.bucket.put('empty', new Uint8Array());
  first.s3.close();

  const { s3, bucket } = open();
  expect(await bucket.keys()).toEqual(['a/../b c', 'empty', 'replaced']);
  expect(await bucket.head('a/../b c')).toMatchObject({ ETag, Metadata: { epoch: '1' } });
  expect(await bucket.text('a/../b c')).toBe('one');
  expect(await bucket.text('replaced', { Range: 'bytes=4-6' })).toBe('and');
  expect(await bucket.text('empty')).toBe('');
  expect(await refusal(bucket.put('replaced', 'x', { IfMatch: ETag }))).toMatchObject({
    status: 412,
  });
  s3.close();
});

it('an upload goes on after a restart, and leaves only its object', async () => {
  const first = open();
  const before = files().length;
  const { id } = await first.bucket.begin('big');
  await (await first.bucket.begin('other')).part(1, 'y');
  first.s3.close();

  const { s3, bucket } = open();
  const again = bucket.upload('big', id);
  await again.complete([await again.part(1, 'x')]);
  expect(await bucket.text('big')).toBe('x');
  // The object, and the upload that has not ended, with its part.
  expect(files()).toHaveLength(before + 3);
  s3.close();
});

it('an object has one file', async () => {
  const { s3, bucket } = open();
  const before = files().length;
  await bucket.put('a', 'x');
  await bucket.put('a', 'y');
  expect(files()).toHaveLength(before + 1);
  await bucket.delete('a');
  expect(files()).toHaveLength(before);
  s3.close();
});

it('what a killed process left half-written is ignored', async () => {
  const first = open();
  await first.bucket.put('a', 'x');
  first.s3.close();
  const [name = ''] = files();
  writeFileSync(join(folder, `${name}.new`), 'half');
  const { s3, bucket } = open();
  expect(await bucket.keys()).toEqual(['a']);
  expect(files()).not.toContain(`${name}.new`);
  s3.close();
});

it('a damaged file is reported', async () => {
  const first = open();
  await first.bucket.put('a', 'x');
  first.s3.close();
  const [name = ''] = files();
  const whole = readFileSync(join(folder, name));
  const longer = Buffer.concat([Buffer.from('more'), whole]);
  for (const content of ['', 'abc', `${'x'.repeat(100)}\0\0\0\u0005`, longer]) {
    writeFileSync(join(folder, name), content);
    expect(open).toThrow(expect.objectContaining({ code: 'DamagedStore' }));
  }
  writeFileSync(join(folder, name), whole);
  open().s3.close();
});

it('one process at a time has the folder', () => {
  const { s3 } = open();
  expect(open).toThrow(expect.objectContaining({ code: 'StoreInUse' }));
  s3.close();
  open().s3.close();
});
