import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'fanfold';
import { convert } from './convert.ts';

test('cells become numbers and lists, and a wrong cell is named', async () => {
  await using fanfold = await connect();
  const rows = [
    { id: '1', joined: '2026-01-31', tags: 'red;green' },
    { id: '2', joined: 'soon', tags: '' },
  ];
  const [first, second] = await Array.fromAsync(fanfold.map(convert, rows, { ordered: true }));
  assert(first?.status === 'ok' && second?.status === 'failed');
  assert.deepEqual(first.output, { id: 1, joined: '2026-01-31', tags: ['red', 'green'] });
  assert.equal(second.error.code, 'InvalidInput');
  assert.match(second.error.message, /joined/);
});
