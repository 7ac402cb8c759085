import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { defineTask } from 'fanfold';
import sharp from 'sharp';

export const thumbnail = defineTask({
  name: 'thumbnail',
  async setup() {
    const { THUMBNAILS: folder = 'thumbnails' } = process.env;
    await mkdir(folder, { recursive: true });
    return folder;
  },
  async run(path: string, _, folder) {
    const file = join(folder, `${basename(path)}.webp`);
    const { width, height, size } = await sharp(path).resize({ width: 320 }).webp().toFile(file);
    return { file, width, height, size };
  },
});
