import { expect, it } from 'vitest';
import { InputHash } from '../../../src/cli/resume/input-hash.ts';
import { recorded } from '../../../src/cli/resume/run-output.ts';
import type { Run } from '../../../src/index.ts';

it('results of a run elsewhere are written when the file is synced, and no sooner', async () => {
  const synced = Promise.withResolvers<void>();
  const done: string[] = [];
  const output = {
    write: async (text: string) => void done.push(`wrote ${text}`),
    sync: () => synced.promise.then(() => void done.push('synced')),
    empty: async () => {},
    close: async () => {},
    isFile: true,
    leftLines: 0,
  };
  const results = recorded({ output, hash: new InputHash('results.jsonl') });
  const following = results.follow({ runId: 'r', seeded: 0 } as Run, 'Photos');
  // Results are acknowledged only once they are written.
  const written = results.write('a').then(() => void done.push('acknowledged'));
  await new Promise(setImmediate);
  expect(done).toEqual(['wrote a']);
  synced.resolve();
  await written;
  expect(done).toEqual(['wrote a', 'synced', 'acknowledged']);
  following.stop();
  await results.close();
});
