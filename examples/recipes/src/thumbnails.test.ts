import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'fanfold';
import sharp from 'sharp';
import { thumbnail } from './thumbnails.ts';

test('a photo becomes small, and a broken one costs itself alone', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'thumbnails-'));
  process.env.THUMBNAILS = join(folder.path, 'small');
  const photo = join(folder.path, 'a.jpg');
  const broken = join(folder.path, 'b.jpg');
  const create = { width: 1280, height: 720, channels: 3, background: 'tomato' } as const;
  await sharp({ create }).jpeg().toFile(photo);
  await writeFile(broken, 'not a photo');
  await using fanfold = await connect();
  const once = { ...thumbnail, maxAttempts: 1 };
  const results = await Array.fromAsync(fanfold.map(once, [photo, broken], { ordered: true }));
  const [first, second] = results;
  assert(first?.status === 'ok' && second?.status === 'failed');
  const { format, width, height } = await sharp(first.output.file).metadata();
  assert.deepEqual({ format, width, height }, { format: 'webp', width: 320, height: 180 });
  assert.match(second.error.message, /unsupported image format/);
});
