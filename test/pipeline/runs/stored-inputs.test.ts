import { expect, it } from 'vitest';
import { createLambdaClient, Lambda } from '../../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { S3Inputs } from '../../../src/index.ts';
import { namesOf } from '../../../src/pipeline/names.ts';
import { beginStored } from '../../../src/pipeline/runs/stored-runs.ts';

const names = namesOf('Photos');

it('the inputs of a stored run may be in S3: its request says where both are', async () => {
  const lambda = new Lambda();
  const requests: unknown[] = [];
  const output = 's3://bucket/x/20261125T101112131-k3f9x2ab/';
  const seed = async (request: unknown) => {
    requests.push(request);
    return { resultQueueUrl: 'http://localhost/000000000000/queue', output };
  };
  lambda.addFunction(names.seed, seed, { timeoutSeconds: 60 });
  const sqs = createSqsClient(new Sqs());
  const deployment = { sqs, lambda: createLambdaClient(lambda), names };
  const none = () => Promise.reject(new Error('nothing is read'));
  const run = beginStored(
    deployment,
    { s3: none, events: none },
    'twice',
    new S3Inputs('s3://bucket/inputs.jsonl'),
    { output: { s3: 's3://bucket/x/', format: 'csv' }, ordered: true, maxFailures: '5%' },
  );
  await run.detach();
  expect(await run.output).toBe(output);
  expect(requests).toEqual([
    expect.objectContaining({
      inputs: { s3: 's3://bucket/inputs.jsonl' },
      results: { s3: 's3://bucket/x/', format: 'csv', ordered: true },
      maxFailures: '5%',
    }),
  ]);
  await lambda.close();
});
