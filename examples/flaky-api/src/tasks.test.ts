import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type Failure } from 'fanfold';
import { startApi } from './server.ts';
import { weather } from './tasks.ts';

test('an API that recovers costs attempts, but no results', async () => {
  await using api = await startApi();
  await using fanfold = await connect();
  const urls = ['/berlin', '/busy/oslo', '/broken/rome'].map((path) => ({ url: api.url + path }));
  const run = fanfold.map(weather, urls, { ordered: true });
  const attempts = (await Array.fromAsync(run.outputs())).map(({ attempt }) => attempt);
  assert.deepEqual(attempts, [1, 3, 2]);
});

/** The error of the one input of a run. */
async function failureOf(path: string): Promise<Failure> {
  await using api = await startApi();
  await using fanfold = await connect();
  const [result] = await Array.fromAsync(fanfold.map(weather, [{ url: api.url + path }]));
  assert(result?.status === 'failed');
  return result.error;
}

test('a missing page gets one attempt', async () => {
  const { name, message, attempts } = await failureOf('/missing');
  assert.equal(name, 'NonRetryableError');
  assert.match(message, /answered 404/);
  assert.equal(attempts, 1);
});

test('an API that never answers times out', async () => {
  const { code, attempts } = await failureOf('/silent');
  assert.equal(code, 'TimedOut');
  assert.equal(attempts, 3);
});
