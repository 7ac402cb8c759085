import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Lambda } from '../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { type Listening, listen } from '../../src/emulator/transport/index.ts';
import { seedHandler, workerHandler } from '../../src/handlers.ts';
import { defineTask } from '../../src/index.ts';
import { newRunId } from '../../src/pipeline/names.ts';

const echo = defineTask({ name: 'echo', run: (input: unknown) => input });

const sqs = new Sqs();
const client = createSqsClient(sqs);
const lambda = new Lambda();
let server: Listening;
let lambdaClient: LambdaClient;

beforeAll(async () => {
  for (const suffix of ['tasks', 'tasks-dead', 'results']) {
    await client.send(new CreateQueueCommand({ QueueName: `Odd-${suffix}` }));
  }
  const options = { sqs: client, name: 'Odd' };
  lambda.addFunction('Odd-seed', seedHandler({ echo }, options), { timeoutSeconds: 60 });
  lambda.addFunction('Odd-worker', workerHandler({ echo }, options), { timeoutSeconds: 60 });
  server = await listen(lambda.service);
  lambdaClient = new LambdaClient({
    region: lambda.region,
    endpoint: server.url,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
});
afterAll(async () => {
  lambdaClient.destroy();
  await server.close();
  await lambda.close();
  sqs.close();
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function invoke(FunctionName: string, event: unknown) {
  const Payload = typeof event === 'string' ? event : JSON.stringify(event);
  const { Payload: answer, FunctionError } = await lambdaClient.send(
    new InvokeCommand({ FunctionName, Payload }),
  );
  return { FunctionError, answer: JSON.parse(answer?.transformToString() ?? '') };
}

const queues = () =>
  ['Odd-tasks', 'Odd-tasks-dead', 'Odd-results'].map((name) => sqs.peek(name).length);

const old = newRunId(Date.now() - 2 * 3_600_000);
const inputs = [1, 2];

describe('an invalid seed request gets a sentence, and nothing is queued:', () => {
  it.each<[what: string, event: unknown, code: string, message: RegExp]>([
    ['an array', [], 'BadInput', /^A seed request must be an object like \{"task"/],
    ['a text', '"run it"', 'BadInput', /must be an object like .*; got "run it"/],
    ['null', null, 'BadInput', /must be an object like .*; got null/],
    ['a number', 7, 'BadInput', /must be an object like .*; got 7/],
    ['nothing at all', {}, 'BadInput', /`task` must be the name of a task; got nothing/],
    [
      'a task that is no name',
      { task: 3, inputs },
      'BadInput',
      /`task` must be the name .*; got 3/,
    ],
    ['a task that is not there', { task: 'ehco', inputs }, 'UnknownTask', /Did you mean "echo"/],
    ['no inputs', { task: 'echo' }, 'BadInput', /`inputs` must be .*; got nothing/],
    [
      'inputs that are a text',
      { task: 'echo', inputs: 'a,b' },
      'BadInput',
      /`inputs` must be an array/,
    ],
    [
      'a range that goes down',
      { task: 'echo', inputs: { from: 3, to: 1 } },
      'BadInput',
      /`inputs` must be an array/,
    ],
    [
      'a range of too many',
      { task: 'echo', inputs: { from: 0, to: 1e9 } },
      'BadInput',
      /at most 1000000/,
    ],
    [
      'lines that are not JSON',
      { task: 'echo', inputs: { lines: '1\n{' } },
      'BadInput',
      /^Input 1 is not JSON/,
    ],
    ...[
      'first',
      'total',
      'runId',
      'expiresAt',
      'results',
      'hedge',
      'maxFailures',
      'concurrency',
    ].map((name): [string, unknown, string, RegExp] => [
      `a \`${name}\` of null`,
      { task: 'echo', inputs, [name]: null },
      'BadInput',
      new RegExp(`^\`${name}\` must have a value, or be left out; got null\\.$`),
    ]),
    ['a first that is not whole', { task: 'echo', inputs, first: 1.5 }, 'BadInput', /`first`/],
    [
      'a total that is less than nothing',
      { task: 'echo', inputs, total: -1 },
      'BadInput',
      /`total`/,
    ],
    [
      'inputs about which',
      { task: 'echo', inputs, about: 'many' },
      'BadInput',
      /`about` must be a whole/,
    ],
    ['a first beyond any run', { task: 'echo', inputs, first: 1e9 + 1 }, 'BadInput', /1000000000/],
    ['a total beyond any run', { task: 'echo', inputs, total: 2e9 }, 'BadInput', /1000000000/],
    [
      'indexes beyond any run',
      { task: 'echo', inputs: [1], indexes: [[1e9, 1e9]] },
      'BadInput',
      /at most 1000000000 inputs/,
    ],
    [
      'indexes beyond the total',
      { task: 'echo', inputs: [1, 2], first: 3, total: 4 },
      'BadInput',
      /`total`, the number of the run's inputs, is 4; got input 4/,
    ],
    [
      'a cost without a collector',
      { task: 'echo', inputs, maxCost: 5 },
      'BadInput',
      /`maxCost` .*"own"/,
    ],
    [
      'a cost where nothing is metered',
      { task: 'echo', inputs, results: 'own', maxCost: 5 },
      'BadInput',
      /`maxCost` needs runs that are metered/,
    ],
    ['a wrong cost', { task: 'echo', inputs, maxCost: '5' }, 'BadInput', /`maxCost` must be/],
    ['no collector', { task: 'echo', inputs, pauseWhenFailing: '5%/1m' }, 'BadInput', /"own"/],
    ['no stored results', { task: 'echo', inputs, maxFailures: 1 }, 'BadInput', /stored in S3/],
    [
      'a collector elsewhere',
      { task: 'echo', inputs, results: 'own', maxFailures: 1 },
      'BadInput',
      /stored in S3.*got "own"/,
    ],
    [
      'a budget that is none',
      { task: 'echo', inputs, results: 's3', maxFailures: '5x' },
      'BadInput',
      /percentage/,
    ],
    ['results of no kind', { task: 'echo', inputs, results: 'S3' }, 'BadInput', /"s3"/],
    [
      'a format of no kind',
      { task: 'echo', inputs, results: { s3: 's3://b-b/p/', format: 'xml' } },
      'BadInput',
      /jsonl, csv, parquet/,
    ],
    ['no share', { task: 'echo', inputs, pauseWhenFailing: '5%' }, 'BadInput', /"50%\/1m"/],
    ['chunks of nothing', { task: 'echo', inputs, chunkItems: 0 }, 'BadInput', /`chunkItems`/],
    ['results elsewhere', { task: 'echo', inputs, results: 'mine' }, 'BadInput', /`results`/],
    ['a run id that is none', { task: 'echo', inputs, runId: 'a b' }, 'BadInput', /`runId`/],
    [
      'a run id that tells no time, where the run is to have a queue',
      { task: 'echo', inputs, runId: 'mine', results: 'own' },
      'BadInput',
      /must have a run id like/,
    ],
    [
      'a run id that is too old',
      { task: 'echo', inputs, runId: old, results: 'own' },
      'RunFailed',
      /only the first page of a run younger than an hour/,
    ],
    [
      'a run id that is six minutes ahead',
      { task: 'echo', inputs, runId: newRunId(Date.now() + 360_000), results: 'own' },
      'BadInput',
      /its id has the time \S+Z, and the time here is \S+Z\. Correct the clock/,
    ],
    [
      'a run id of another century',
      { task: 'echo', inputs, runId: newRunId(Date.UTC(2099, 0)) },
      'BadInput',
      /begins in the future/,
    ],
    [
      'an end before the beginning',
      { task: 'echo', inputs, expiresAt: 5 },
      'BadInput',
      /`expiresAt` must be after/,
    ],
    [
      'a result queue outside the stack',
      { task: 'echo', inputs, resultQueueUrl: 'https://sqs.us-east-1.amazonaws.com/1/theirs' },
      'BadInput',
      /A seed request has no field "resultQueueUrl"/,
    ],
  ])('%s', async (_, event, code, message) => {
    const before = queues();
    const { FunctionError, answer } = await invoke('Odd-seed', event);
    expect({ FunctionError, code: answer.error?.code }).toEqual({ FunctionError: undefined, code });
    expect(answer.error.message).toMatch(message);
    expect(answer.error.message).toMatch(/[.?)]$/);
    expect(queues()).toEqual(before);
  });

  it('any JSON value is accepted or refused, and nothing is thrown', async () => {
    const field = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('echo', 'own', 'shared', old, newRunId(), '__proto__', -1, 1e308, 2 ** 53),
      fc.record({ from: fc.maxSafeInteger(), to: fc.maxSafeInteger() }),
      fc.record({ lines: fc.string() }),
      fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { maxLength: 3 }),
    );
    const names = ['inputs', 'runId', 'first', 'indexes', 'continues', 'expiresAt', 'total'];
    const fields = [...names, 'about', 'chunkItems', 'results', 'resultQueueUrl', 'constructor'];
    const request = fc.record(
      { task: fc.oneof({ weight: 4, arbitrary: fc.constant('echo') }, field) } as Record<
        string,
        fc.Arbitrary<unknown>
      >,
      { requiredKeys: [] },
    );
    const event = fc.oneof(
      fc.jsonValue(),
      fc
        .tuple(request, fc.dictionary(fc.constantFrom(...fields), field, { maxKeys: 3 }))
        .map(([some, more]) => ({ inputs: [1], ...some, ...more })),
    );
    await fc.assert(
      fc.asyncProperty(event, async (value) => {
        const { FunctionError, answer } = await invoke('Odd-seed', JSON.stringify(value));
        expect(FunctionError, answer?.errorMessage).toBeUndefined();
        if ('error' in answer) {
          expect(answer.error).toMatchObject({
            code: expect.any(String),
            message: expect.any(String),
          });
        } else {
          expect(answer).toMatchObject({
            task: 'echo',
            first: expect.any(Number),
            count: expect.any(Number),
            chunks: expect.any(Number),
            resultQueueUrl: expect.stringMatching(/\/Odd-(results|run-)/),
          });
        }
      }),
      { numRuns: 300, examples: [[{ inputs: [1], task: 'echo', first: null }]] },
    );
  });
});

it.each([
  ['null', null],
  ['no records', {}],
  ['records that are none', { Records: 'none' }],
  ['records of something else', { Records: [{ eventSource: 'aws:s3', s3: {} }] }],
  ['a seed request', { task: 'echo', inputs: [1] }],
])('a worker that is invoked with %s fails with a sentence', async (_, event) => {
  const { FunctionError, answer } = await invoke('Odd-worker', event);
  expect(FunctionError).toBe('Unhandled');
  expect(answer.errorMessage).toMatch(
    /^The worker function expects an SQS event .*seed function\.$/,
  );
});

describe('a seed cuts chunks for the number of workers', () => {
  /** Chunks of a request in an environment with this number of workers. */
  async function chunks(workers: string | undefined, request: object): Promise<number> {
    vi.stubEnv('FANFOLD_NAME', 'Odd');
    vi.stubEnv('FANFOLD_WORKERS', workers);
    const seed = seedHandler({ echo, tenAtOnce }, { sqs: client });
    const seeded = await seed({ task: 'echo', ...request }, context);
    return 'chunks' in seeded ? seeded.chunks : Number.NaN;
  }
  const context = { awsRequestId: crypto.randomUUID(), getRemainingTimeInMillis: () => 60_000 };
  const tenAtOnce = defineTask({ ...echo, name: 'tenAtOnce', input: undefined, concurrency: 10 });
  const page = { from: 1, to: 960 };

  it.each([
    ['3', { inputs: page }, 96],
    ['10', { inputs: page }, 320],
    ['30', { inputs: page }, 960],
    [undefined, { inputs: page }, 960],
    // More inputs are known, or expected, to follow.
    ['30', { inputs: page, total: 9_600 }, 96],
    ['30', { inputs: page, about: 96_000, more: true }, 10],
    // Each of its workers runs ten at once.
    ['30', { inputs: page, task: 'tenAtOnce' }, 30],
    // The request sets the size itself.
    ['3', { inputs: page, chunkItems: 2 }, 480],
  ])('%s, %j', async (workers, request, count) => {
    expect(await chunks(workers, request)).toBe(count);
  });

  it.each(['0', '-1', 'many', '', '1e3'])('refuses an environment with %j workers', (text) => {
    vi.stubEnv('FANFOLD_NAME', 'Odd');
    vi.stubEnv('FANFOLD_WORKERS', text);
    expect(() => seedHandler({ echo }, { sqs: client })).toThrow(
      `FANFOLD_WORKERS must be a number of workers, from 1 to 9999; got "${text}".`,
    );
  });
});

describe('a run without a given id', () => {
  const context = (awsRequestId: string) => ({
    awsRequestId,
    getRemainingTimeInMillis: () => 60_000,
  });
  const seed = seedHandler({ echo }, { sqs: client, name: 'Odd' });
  const idOf = async (requestId: string) => {
    const seeded = await seed({ task: 'echo', inputs: [1] }, context(requestId));
    return 'runId' in seeded ? seeded.runId : '';
  };
  const trace = (secondsAgo: number) => {
    const seconds = Math.floor(Date.now() / 1000) - secondsAgo;
    vi.stubEnv(
      '_X_AMZN_TRACE_ID',
      `Root=1-${seconds.toString(16)}-0123456789abcdef01234567;Sampled=1`,
    );
  };

  it('keeps its id when Lambda retries the invocation', async () => {
    trace(70);
    const id = await idOf('11111111-2222-4333-8444-555555555555');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await idOf('11111111-2222-4333-8444-555555555555')).toBe(id);
    expect(await idOf('11111111-3333-4333-8444-555555555555')).not.toBe(id);
  });

  it('has the current time if the trace is old or missing', async () => {
    const now = newRunId().slice(0, 13);
    trace(9_000);
    expect((await idOf('11111111-2222-4333-8444-555555555555')).slice(0, 13)).toBe(now);
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-zz');
    expect((await idOf('11111111-2222-4333-8444-555555555555')).slice(0, 13)).toBe(now);
  });
});
