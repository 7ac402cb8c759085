import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'fanfold';
import { letters } from './fan-in.ts';

test('the outputs of one run are the inputs of the next', async () => {
  await using fanfold = await connect();
  assert.equal(await letters(fanfold, ['to be or', 'not to be']), 13);
});

test('a failed input of the first run ends both', async () => {
  await using fanfold = await connect();
  await assert.rejects(letters(fanfold, JSON.parse('["to be", 42]')), /line\.split/);
});
