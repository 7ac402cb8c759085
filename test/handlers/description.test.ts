import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createLambdaClient, Lambda } from '../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { seedHandler } from '../../src/handlers.ts';
import { defineTask, VERSION } from '../../src/index.ts';
import { namesOf } from '../../src/pipeline/names.ts';
import { describeSeed } from '../../src/pipeline/seeding/invoke-seed.ts';

const double = defineTask({ name: 'double', timeoutSeconds: 7, run: (n: number) => n * 2 });
const options = { sqs: createSqsClient(new Sqs()), name: 'Odd', workers: 12, burst: 3 };
const lambda = new Lambda();
lambda.addFunction('Odd-seed', seedHandler({ double }, options), { timeoutSeconds: 60 });
afterAll(() => lambda.close());

it('a seed describes its deployment without a call to its queues', async () => {
  const seed = await describeSeed(createLambdaClient(lambda), namesOf('Odd'));
  const backoff = { backoffBaseSeconds: 1, backoffCapSeconds: 60 };
  const defaults = { maxAttempts: 3, concurrency: 1, idempotent: false, ...backoff };
  expect(seed).toEqual({
    fanfold: VERSION,
    tasks: [{ name: 'double', timeoutSeconds: 7, ...defaults }],
    workers: 12,
    burst: 3,
  });
});

it.each([{ describe: true, task: 'double', inputs: [1] }, { describe: 1 }, { describe: false }])(
  'a request that only resembles a description request is refused: %j',
  async (event) => {
    const seed = seedHandler({ double }, options);
    const context = { awsRequestId: crypto.randomUUID(), getRemainingTimeInMillis: () => 60_000 };
    expect(await seed(event, context)).toMatchObject({ error: { code: expect.any(String) } });
  },
);

it('the version in bundles is the package’s', () => {
  const pkg = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  expect(VERSION).toBe((JSON.parse(pkg) as { version: string }).version);
});
