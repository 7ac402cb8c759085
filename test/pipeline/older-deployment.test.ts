// Workers and callers of this version, with a deployment of one that knows no bounds of runs.
import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createLambdaClient, Lambda } from '../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { defineTask } from '../../src/index.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import { chunkBody } from '../../src/pipeline/messages/chunk.ts';
import { namesOf, newRunId } from '../../src/pipeline/names.ts';
import { beginStored } from '../../src/pipeline/runs/stored-runs.ts';
import { pull } from '../../src/pipeline/working/poll-loop.ts';
import { Worker } from '../../src/pipeline/working/worker.ts';
import { TaskRegistry } from '../../src/task-registry.ts';
import { denying } from '../denying.ts';

const names = namesOf('Photos');
const twice = defineTask({ name: 'twice', run: (n: number) => n * 2 });

/** A deployment without lanes, and a chunk of a run. @param flow the bounds that it carries */
async function withChunk(flow?: { lanes: number; concurrency: number }) {
  const service = new Sqs({ strictTiming: false });
  const owner = createSqsClient(service);
  const create = async (QueueName: string) =>
    (await owner.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? '';
  const runId = newRunId();
  const [taskQueueUrl = '', deadQueueUrl = ''] = await Promise.all(
    [names.tasks, names.dead, names.run(runId)].map(create),
  );
  const envelope = { runId, task: 'twice', attempt: 1, results: 'own' as const, flow };
  const expiresAt = Date.now() + 3_600_000;
  const MessageBody = chunkBody({ ...envelope, expiresAt }, [{ index: 0, text: '21' }]);
  await owner.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody }));
  return { service, taskQueueUrl, deadQueueUrl, runQueue: names.run(runId) };
}

/** Works as a machine whose policy knows neither lanes nor tags, until something was reported. */
async function worked({ service, taskQueueUrl, deadQueueUrl, runQueue }: Chunked) {
  const sqs = denying(
    createSqsClient(service),
    (command, queue) => command === 'ListQueueTagsCommand' || queue.endsWith(names.lanes),
  );
  const errors: string[] = [];
  const stop = new AbortController();
  const worker = new Worker({
    ...{ sqs, taskQueueUrl, deadQueueUrl, worker: 'w', sliceSeconds: 5 },
    tasks: TaskRegistry.fromModule({ twice }),
  });
  const onError = (error: unknown) => errors.push(String(error));
  const pulling = pull({ sqs, taskQueueUrl, worker, signal: stop.signal, onError });
  const results = () => service.peek(runQueue).map(({ body }) => body);
  await expect
    .poll(() => results().length + errors.filter((one) => one.includes('Tags')).length)
    .toBeGreaterThan(0);
  stop.abort();
  await pulling;
  return { results: results(), errors };
}

type Chunked = Awaited<ReturnType<typeof withChunk>>;

it('a worker runs chunks without bounds, and says once what it may not do', async () => {
  const { results, errors } = await worked(await withChunk());
  expect(results).toEqual([expect.stringContaining('"output":42')]);
  expect(errors).toEqual([expect.stringContaining('ReceiveMessage')]);
});

it('a worker does not run a chunk with bounds whose changes it cannot read', async () => {
  const { results, errors } = await worked(await withChunk({ lanes: 1, concurrency: 1 }));
  expect(results).toEqual([]);
  expect(errors).toContainEqual(expect.stringContaining('ListQueueTags'));
});

it.each([{ concurrency: 5 }, { rate: '100/s' as const }, { pauseWhenFailing: '50%/1m' as const }])(
  'a run with %j is refused with a remedy',
  async (bounds) => {
    const lambda = new Lambda();
    const [field] = Object.keys(bounds);
    const message = `A seed request has no field "${field}". Known fields: task, inputs.`;
    const seed = async () => ({ error: { code: 'BadInput', message } });
    lambda.addFunction(names.seed, seed, { timeoutSeconds: 60 });
    const deployment = {
      sqs: createSqsClient(new Sqs()),
      lambda: createLambdaClient(lambda),
      names,
    };
    const run = new Run(deployment, 'twice', [1, 2], bounds);
    await expect(Array.fromAsync(run)).rejects.toMatchObject({
      code: 'BadOption',
      message: expect.stringMatching(/"Photos" has a version.*deploy .* or leave `\w+` out/),
    });
    await lambda.close();
  },
);

it.each([
  ['A seed request has no field "maxFailures". Known fields: task, inputs.', { maxFailures: 1 }],
  ['`results` must be "shared" or "own"; got "s3".', {}],
])('a stored run is refused with what to do: %s', async (message, options) => {
  const lambda = new Lambda();
  const seed = async () => ({ error: { code: 'BadInput', message } });
  lambda.addFunction(names.seed, seed, { timeoutSeconds: 60 });
  const sqs = createSqsClient(new Sqs());
  const deployment = { sqs, lambda: createLambdaClient(lambda), names };
  const none = () => Promise.reject(new Error('nothing is read'));
  const clients = { s3: none, events: none };
  const run = beginStored(deployment, clients, 'twice', [1], { output: 's3', ...options });
  await expect(run.detach()).rejects.toMatchObject({
    code: 'BadOption',
    message: expect.stringMatching(
      /"Photos" has a version.* does not store results in S3.*`output`/,
    ),
  });
  await lambda.close();
});
