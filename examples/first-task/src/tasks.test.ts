import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'fanfold';
import { countWords } from './tasks.ts';

test('words are counted, in input order', async () => {
  await using fanfold = await connect();
  const run = fanfold.map(countWords, [{ text: 'to be or not to be' }, { text: '' }], {
    ordered: true,
  });
  assert.deepEqual(await Array.fromAsync(run.outputs()), [
    { words: 6, different: 4 },
    { words: 0, different: 0 },
  ]);
});
