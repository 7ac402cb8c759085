import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'fanfold';
import { lookUp } from './rate-limited.ts';
import { serveHttp } from './serve-http.ts';

const impatient = { ...lookUp, backoffBaseSeconds: 0 };

test('calls that the API refuses are made again, and wrong ids are not', async () => {
  let calls = 0;
  let open = 0;
  let most = 0;
  await using api = await serveHttp(async ({ url }) => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 5));
    open--;
    if (url === '/items/none') return { status: 404 };
    return ++calls % 3 === 0 ? { status: 429 } : { body: `item ${url}` };
  });
  process.env.API_URL = api.url;
  await using fanfold = await connect({ workers: 2 });
  const ids = Array.from({ length: 30 }, (_, index) => `${index}`);
  const results = await Array.fromAsync(fanfold.map(impatient, [...ids, 'none']));
  const failed = results.filter((result) => result.status !== 'ok');
  assert.equal(calls, 44);
  assert.partialDeepStrictEqual(failed, [{ index: 30, error: { attempts: 1 } }]);
  assert(most <= 2 * lookUp.concurrency);
});
