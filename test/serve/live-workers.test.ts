import { InvokeCommand } from '@aws-sdk/client-lambda';
import { ListQueuesCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { expect, it, vi } from 'vitest';
import { connect } from '../../src/connect.ts';
import { announcing } from '../../src/endpoint/announced-workers.ts';
import { lambdaAt, sqsOf } from '../../src/endpoint/clients.ts';
import { namesOf } from '../../src/pipeline/names.ts';
import { serve } from '../../src/serve/serve.ts';
import { aUser } from '../cli/serving.ts';

aUser();

it('a rate is shared among the workers that are there when its run begins', async () => {
  const names = namesOf('fanfold');
  const credentials = { accessKeyId: 'KEY', secretAccessKey: 'SECRET' };
  const tasks = new URL('../../functions/tasks/index.ts', import.meta.url);
  await using server = await serve({ tasks, credentials, memory: true, port: 0 });
  const { url: endpoint, region } = server;
  const place = { endpoint, region, credentials };
  const sqs = sqsOf(place);
  const lambda = lambdaAt(place);
  /** The number of lanes of a new run. */
  const lanes = async () => {
    const Payload = JSON.stringify({ task: 'echo', inputs: [1], rate: '100/s' });
    await lambda.send(new InvokeCommand({ FunctionName: names.seed, Payload }));
    const QueueUrl = `${endpoint}/000000000000/${names.tasks}`;
    const { Messages: [chunk] = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    return JSON.parse(chunk?.Body ?? '{}').flow?.lanes;
  };
  const clients: SQSClient[] = [];
  /** Announces the workers of a machine. */
  const join = async (name: string, count: number) => {
    const client = announcing(sqsOf(place), { name, count });
    await client.send(new ListQueuesCommand({}));
    clients.push(client);
  };
  // A worker may join later.
  expect(await lanes()).toBe(1);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'KEY');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'SECRET');
  const warnings: string[] = [];
  await using fanfold = await connect({ endpoint, onWarning: (line) => warnings.push(line) });
  await fanfold.map('echo', [], { concurrency: 2 }).all();
  await expect
    .poll(() => warnings)
    .toEqual([expect.stringMatching(/concurrency: 2. is not reached: no worker is connected/)]);
  await join('desk-1', 2);
  expect(await lanes()).toBe(2);
  await join('rack-2', 3);
  expect(await lanes()).toBe(5);
  for (const client of [sqs, ...clients]) client.destroy();
  lambda.destroy();
});
