import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'fanfold';
import { classify } from './llm.ts';
import { serveHttp } from './serve-http.ts';

const impatient = { ...classify, backoffBaseSeconds: 0 };
const completion = (content: string) => ({
  body: JSON.stringify({ choices: [{ message: { content } }], usage: { total_tokens: 12 } }),
});

test('chatter and busy models cost attempts, and a wrong key ends the run early', async () => {
  const answers = [{ status: 503 }, completion('I would say praise!'), completion(' complaint\n')];
  await using model = await serveHttp(({ url, authorization, body }) => {
    assert.equal(url, '/v1/chat/completions');
    if (authorization !== 'Bearer secret') return { status: 401 };
    assert.equal(JSON.parse(body).model, 'small');
    return answers.shift() ?? { status: 500 };
  });
  const settings = { LLM_URL: `${model.url}/v1`, LLM_KEY: 'secret', LLM_MODEL: 'small' };
  Object.assign(process.env, settings);
  await using fanfold = await connect();
  const review = { id: 'r1', text: 'It broke within a day.' };
  const labels = await fanfold.map(impatient, [review]).all();
  assert.deepEqual(labels, [{ id: 'r1', label: 'complaint', tokens: 12 }]);

  process.env.LLM_KEY = 'wrong';
  const run = fanfold.map(impatient, Array(500).fill(review), { maxFailures: '2%' });
  for await (const result of run) {
    if (result.status === 'failed') assert.equal(result.error.attempts, 1);
  }
  assert(run.ledger.cancelled > 0);
});
