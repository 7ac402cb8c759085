import { setTimeout } from 'node:timers/promises';
import { defineTask } from '../../src/index.ts';

/** A task that takes as long as one that fetches photos, and fails as often. */
export const resize = defineTask({
  name: 'resize',
  concurrency: 4,
  maxAttempts: 1,
  async run(photo: number, { signal }) {
    const ms = 60 + ((photo * 7_919) % 97) * 3 + (photo % 41 === 0 ? 1_200 : 0);
    await setTimeout(ms, undefined, { signal });
    if (photo % 29 === 11) throw new Error(`HTTP 503 from https://photos.example/${photo}.jpg`);
    if (photo % 97 === 5) throw new TypeError('Not a JPEG: expected FF D8, got 3C 21');
    return { bytes: photo };
  },
});
