// A server that accepts a request and never responds, as after a lost packet: the SDK has no time
// limit by default.
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLambdaClient, Lambda } from '../../src/emulator/lambda/index.ts';
import { createS3Client, S3 } from '../../src/emulator/s3/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { type Listening, listen } from '../../src/emulator/transport/index.ts';
import { Environment } from '../../src/handlers/environment.ts';
import { collectorHandler, seedHandler, workerHandler } from '../../src/handlers.ts';
import { defineTask } from '../../src/index.ts';
import { namesOf, newRunId } from '../../src/pipeline/names.ts';
import { fastTime } from '../fast-time.ts';

const echo = defineTask({ name: 'echo', run: (input: unknown) => input });
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 900_000 };
/** EventBridge's answer to an event. */
const ACCEPTED = { status: 200, headers: {}, body: '{"FailedEntryCount":0,"Entries":[{}]}' };
let server: Listening | undefined;

let endFastTime: () => void;

beforeEach(() => {
  endFastTime = fastTime(20);
});
afterEach(async () => {
  endFastTime();
  vi.unstubAllEnvs();
  await server?.close();
});

function stubEnvironment(url: string) {
  vi.stubEnv('AWS_ENDPOINT_URL', url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'any');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'any');
  vi.stubEnv('FANFOLD_NAME', 'Hung');
}

/** A worker's handler, with the clients that it makes from the environment, and an event for it. */
async function worker(isHung: (action: string) => boolean) {
  const sqs = new Sqs();
  server = await listen((request) => {
    const action = (request.headers['x-amz-target'] ?? '').replace('AmazonSQS.', '');
    return isHung(action) ? new Promise(() => {}) : sqs.service(request);
  });
  const plain = createSqsClient(sqs, { endpoint: server.url });
  const urls: string[] = [];
  for (const suffix of ['tasks', 'tasks-dead', 'results']) {
    const create = new CreateQueueCommand({ QueueName: `Hung-${suffix}` });
    urls.push((await plain.send(create)).QueueUrl ?? '');
  }
  const [taskQueueUrl = ''] = urls;
  stubEnvironment(server.url);
  vi.stubEnv('FANFOLD_TASK_QUEUE_URL', taskQueueUrl);
  await seedHandler({ echo }, { sqs: plain, name: 'Hung' })({ task: 'echo', inputs: [1] }, context);
  const { Messages: [message] = [] } = await plain.send(
    new ReceiveMessageCommand({ QueueUrl: taskQueueUrl, VisibilityTimeout: 960 }),
  );
  const { MessageId: messageId, ReceiptHandle: receiptHandle, Body: body } = message ?? {};
  const attributes = { ApproximateReceiveCount: '1' };
  const event = { Records: [{ messageId, receiptHandle, body, attributes }] };
  return { sqs, handle: () => workerHandler({ echo })(event, context) };
}

it('a lost request costs a worker ten seconds', async () => {
  const hung = new Set<string>();
  const { sqs, handle } = await worker((action) => {
    if (action !== 'GetQueueUrl' || hung.has(action)) return false;
    hung.add(action);
    return true;
  });
  const begunAt = performance.now();
  expect(await handle()).toEqual({ batchItemFailures: [] });
  expect(performance.now() - begunAt).toBeLessThan(25_000);
  expect(hung.size).toBe(1);
  expect(sqs.peek('Hung-results')).toHaveLength(1);
}, 240_000);

it('an SQS that never responds does not hold a worker', async () => {
  const { handle } = await worker(() => true);
  const begunAt = performance.now();
  expect((await handle()).batchItemFailures).toHaveLength(1);
  expect(performance.now() - begunAt).toBeLessThan(70_000);
}, 240_000);

it('every client of a function has a time limit', async () => {
  await worker(() => false);
  const { sqs, lambda } = new Environment({});
  for (const { config } of [sqs, lambda]) {
    // Known once the first request has been made.
    const { requestHandler } = config as unknown as {
      requestHandler: { handle(request: object): Promise<unknown>; httpHandlerConfigs(): object };
    };
    await requestHandler.handle({ protocol: 'http:', headers: {}, port: 1 }).catch(() => {});
    expect(requestHandler.httpHandlerConfigs()).toMatchObject({
      connectionTimeout: 3_000,
      requestTimeout: 10_000,
      throwOnRequestTimeout: true,
    });
  }
});

it('a collector waits for results as long as SQS holds its polls', async () => {
  const sqs = new Sqs();
  const pollsAt: number[] = [];
  server = await listen((request) => {
    const action = request.headers['x-amz-target'];
    if (action === 'AWSEvents.PutEvents') return ACCEPTED;
    if (action === 'AmazonSQS.ReceiveMessage') pollsAt.push(performance.now());
    return sqs.service(request);
  });
  const plain = createSqsClient(sqs, { endpoint: server.url });
  stubEnvironment(server.url);
  const runId = newRunId();
  await plain.send(new CreateQueueCommand({ QueueName: namesOf('Hung').run(runId) }));
  const objects = new S3();
  objects.addBucket('results');
  const successors: unknown[] = [];
  const lambda = new Lambda();
  lambda.addFunction('Hung-collector', (event) => Promise.resolve(successors.push(event)));
  const handle = collectorHandler({
    s3: createS3Client(objects),
    lambda: createLambdaClient(lambda),
    places: ['s3://results/runs/'],
    onServer: true,
  });
  const output = `s3://results/runs/${runId}/`;
  const begin = { runId, task: 'echo', output, expiresAt: Date.now() + 3_600_000 };
  // The last minute is for its successor.
  const seconds = { ...context, getRemainingTimeInMillis: () => 60_000 + 45_000 };
  expect(await handle({ begin }, seconds)).toEqual({});
  await handle({ collect: { runId, output, epoch: 0 } }, seconds);
  await vi.waitFor(() => expect(successors).toHaveLength(1));
  // An aborted poll would be repeated at once.
  const pauses = pollsAt.slice(1).map((at, index) => at - (pollsAt[index] ?? 0));
  expect(pauses.length).toBeGreaterThan(0);
  expect(Math.min(...pauses)).toBeGreaterThan(19_000);
}, 240_000);
