import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLambdaClient, Lambda } from '../../src/local/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/local/sqs/index.ts';
import { type Listening, listen, type ServiceRequest } from '../../src/local/transport.ts';
import { assetOf, PROGRAMS, synthesize } from './assembly.ts';
import type { Answer, Invocation } from './runtime.ts';
import { allowedTo, only } from './synthesis.ts';

type Handler = Parameters<Lambda['addFunction']>[1];

// The stack as it would be deployed, with an SQS on loopback and processes for environments.
const sqs = new Sqs();
const sqsClient = createSqsClient(sqs);
const lambda = new Lambda();
const lambdaClient = createLambdaClient(lambda);
const environments = new Map<string, ChildProcess>();
const folder = mkdtempSync(join(tmpdir(), 'fanfold-deployed-'));
let template: Template;
let server: Listening;
let taskQueueUrl: string;
/** What the functions asked of SQS: function, action, queue. */
const asked = new Set<string>();

beforeAll(async () => {
  const { status, stderr } = await synthesize(process.cwd(), folder, {});
  expect(status, stderr).toBe(0);
  template = Template.fromJSON(
    JSON.parse(readFileSync(join(folder, 'Fanfold.template.json'), 'utf8')),
  );
  server = await listen((request) => {
    note(request);
    return sqs.service(request);
  });
  taskQueueUrl = (await createQueues()).get('Fanfold-tasks') ?? '';
  addFunction('Fanfold-seed');
  addFunction('Fanfold-worker');
  const { BatchSize, FunctionResponseTypes } = only(
    template,
    'AWS::Lambda::EventSourceMapping',
    {},
  ).Properties;
  lambda.addSqsEventSource('Fanfold-worker', {
    sqs: sqsClient,
    queueUrl: taskQueueUrl,
    batchSize: BatchSize as number,
    reportBatchItemFailures: String(FunctionResponseTypes) === 'ReportBatchItemFailures',
    maxConcurrency: 2,
  });
});
afterAll(async () => {
  for (const environment of environments.values()) environment.kill();
  await lambda.close();
  sqs.close();
  await server?.close();
  rmSync(folder, { recursive: true });
});

/** Each process signs with its function's name for an access key. */
function note({ headers, body }: ServiceRequest): void {
  const [, name] = /Credential=([^/]+)/.exec(headers.authorization ?? '') ?? [];
  const action = headers['x-amz-target']?.replace('AmazonSQS.', '').replace(/Batch$/, '');
  const { QueueUrl, QueueName } = JSON.parse(Buffer.from(body).toString());
  const queue = String(QueueName ?? QueueUrl).replace(/.*\//, '');
  asked.add(`${name}: sqs:${action} on ${queue.replace(/-run-.*/, '-run-*')}`);
}

async function createQueues(): Promise<Map<string, string>> {
  const urls = new Map<string, string>();
  for (const { Properties } of Object.values(template.findResources('AWS::SQS::Queue'))) {
    const { QueueName, VisibilityTimeout = 30, ReceiveMessageWaitTimeSeconds = 0 } = Properties;
    const Attributes = {
      VisibilityTimeout: String(VisibilityTimeout),
      ReceiveMessageWaitTimeSeconds: String(ReceiveMessageWaitTimeSeconds),
    };
    const created = await sqsClient.send(new CreateQueueCommand({ QueueName, Attributes }));
    urls.set(QueueName, created.QueueUrl ?? '');
  }
  return urls;
}

/** A function of the template, each of whose execution environments is a process. */
function addFunction(name: string): void {
  const { Properties } = only(template, 'AWS::Lambda::Function', { FunctionName: name });
  const { Variables } = Properties.Environment as { Variables: Record<string, string> };
  const bundle = join(assetOf(folder, 'Fanfold', name), 'index.mjs');
  const handler: Handler = (event, context) => {
    const { logStreamName } = context;
    const environment =
      environments.get(logStreamName) ??
      fork(resolve('test/stack/runtime.ts'), [bundle], {
        execPath: join(PROGRAMS, 'node'),
        execArgv: [],
        env: {
          ...Variables,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: name,
          AWS_SECRET_ACCESS_KEY: 'none',
          AWS_ENDPOINT_URL_SQS: server.url,
        },
      });
    environments.set(logStreamName, environment);
    return invoke(environment, {
      event,
      context: JSON.parse(JSON.stringify(context)),
      remainingMs: context.getRemainingTimeInMillis(),
    });
  };
  lambda.addFunction(name, handler, { timeoutSeconds: Properties.Timeout as number });
}

function invoke(environment: ChildProcess, invocation: Invocation): Promise<unknown> {
  const { promise, resolve: succeed, reject: fail } = Promise.withResolvers<unknown>();
  environment.once('exit', (code) => fail(new Error(`The environment ended (${code}).`)));
  environment.once('message', ({ returned, thrown }: Answer) => {
    if (thrown === undefined) succeed(returned);
    else fail(new Error(thrown));
  });
  environment.send(invocation);
  return promise.finally(() => {
    environment.removeAllListeners('exit').removeAllListeners('message');
  });
}

/** What the seed function answers. */
async function seed(request: object) {
  const { Payload, FunctionError } = await lambdaClient.send(
    new InvokeCommand({ FunctionName: 'Fanfold-seed', Payload: JSON.stringify(request) }),
  );
  const answer = JSON.parse(Payload?.transformToString() ?? '');
  expect(FunctionError, answer.errorMessage).toBeUndefined();
  return answer;
}

/** The results of a run, by their indexes: all of them, once the task queue is empty. */
async function resultsOf({ runId, resultQueueUrl }: { runId: string; resultQueueUrl: string }) {
  await expect.poll(() => sqs.peek('Fanfold-tasks'), { timeout: 10_000 }).toEqual([]);
  const messages = sqs.peek(resultQueueUrl.replace(/.*\//, '')).map(({ body }) => JSON.parse(body));
  return messages
    .filter((message) => message.runId === runId)
    .flatMap(({ results }) => results)
    .sort((one, other) => one.index - other.index);
}

describe('the bundles that are deployed', () => {
  it('bring every result of a run to its own queue exactly once', async () => {
    const inputs = Array.from(
      { length: 50 },
      (_, at) => [at, null, { at }, `\ufffe\uffff\u0000 ${at} é\u{1f600}`, [[at]]][at % 5],
    );
    const seeded = await seed({ task: 'echo', inputs, chunkItems: 3, results: 'own' });
    expect(seeded).toMatchObject({ task: 'echo', first: 0, count: 50, chunks: 17 });
    expect(seeded.resultQueueUrl).toMatch(
      new RegExp(`^${server.url}/\\d+/Fanfold-run-${seeded.runId}$`),
    );
    const results = await resultsOf(seeded);
    expect(results.map(({ index }) => index)).toEqual(inputs.map((_, index) => index));
    expect(results.map(({ output }) => output)).toEqual(inputs);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['ok']));
  });

  it('run the tasks that ship, and say why one failed', async () => {
    const path = join(folder, 'hashed');
    writeFileSync(path, 'some bytes');
    const missing = join(folder, 'missing');
    const inputs = [path, missing];
    const results = await resultsOf(await seed({ task: 'sha256', inputs, results: 'own' }));
    const sha256 = createHash('sha256').update('some bytes').digest('hex');
    expect(results).toMatchObject([
      { index: 0, status: 'ok', output: { path, bytes: 10, sha256 } },
      {
        index: 1,
        status: 'failed',
        error: {
          code: 'TaskFailed',
          name: 'NonRetryableError',
          message: `The file ${JSON.stringify(missing)} cannot be read: there is no such file.`,
          attempts: 1,
        },
      },
    ]);
  });

  it('report to the shared queue where the request does not ask for one of its own', async () => {
    const seeded = await seed({ task: 'echo', inputs: { from: 1, to: 3 } });
    expect(seeded.resultQueueUrl).toMatch(/\/Fanfold-results$/);
    const results = await resultsOf(seeded);
    expect(results.map(({ index, output }) => [index, output])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('answer what they refuse', async () => {
    expect(await seed({ task: 'ehco', inputs: [] })).toEqual({
      error: { code: 'UnknownTask', message: expect.stringContaining('Did you mean "echo"?') },
    });
  });

  it('move what is no task message to the dead-letter queue', async () => {
    const MessageBody = 'not a task';
    await sqsClient.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody }));
    await expect.poll(() => sqs.peek('Fanfold-tasks'), { timeout: 10_000 }).toEqual([]);
    expect(sqs.peek('Fanfold-tasks-dead').map(({ body }) => body)).toEqual([MessageBody]);
  });

  // The tests above have made the calls.
  it.each([
    ['Fanfold-seed', 'sqs:SendMessage on Fanfold-tasks'],
    ['Fanfold-worker', 'sqs:SendMessage on Fanfold-run-*'],
  ])('ask nothing of SQS that the role of %s does not allow', (name, typical) => {
    const actions = Array.from(asked)
      .filter((line) => line.startsWith(`${name}: `))
      .map((line) => line.slice(name.length + 2));
    expect(actions).toContain(typical);
    const allowed = allowedTo(template, name).map((line) =>
      line.replace(/ on arn:\S+:Fanfold-run-\*$/, ' on Fanfold-run-*'),
    );
    expect(allowed).toEqual(expect.arrayContaining(actions));
  });
});
