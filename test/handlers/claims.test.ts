import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import {
  inProcess,
  type Service,
  type ServiceResponse,
} from '../../src/emulator/transport/index.ts';
import { failure } from '../../src/emulator/transport/service.ts';
import {
  burstHandler,
  type HandlerOptions,
  Setups,
  seedHandler,
  workerHandler,
} from '../../src/handlers.ts';
import { defineTask } from '../../src/index.ts';
import { namesOf } from '../../src/pipeline/names.ts';
import { Claim } from '../../src/pipeline/working/claim.ts';
import { within } from '../pipeline/virtual-deployment.ts';

const names = namesOf('Photos');
const echo = defineTask({ name: 'echo', run: (input: unknown) => input });
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 900_000 };
/** As on AWS: the function's timeout and a minute. */
const VISIBILITY_SECONDS = 960;

type Answer = ServiceResponse | Promise<ServiceResponse> | undefined;
/** Responds to a call instead of SQS, or passes it to SQS. */
type Fault = (action: string, pass: () => ServiceResponse | Promise<ServiceResponse>) => Answer;

/** A task queue with chunks in it, and a client for which some calls fail. */
async function deployment({ chunks = 1 } = {}) {
  const sqs = new Sqs();
  const plain = createSqsClient(sqs);
  const create = async (QueueName: string) => {
    const Attributes = { VisibilityTimeout: String(VISIBILITY_SECONDS) };
    return (await plain.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  };
  await create(names.dead);
  await create(names.results);
  const taskQueueUrl = await create(names.tasks);
  vi.stubEnv('FANFOLD_TASK_QUEUE_URL', taskQueueUrl);
  vi.stubEnv('FANFOLD_NAME', names.name);
  const calls: string[] = [];
  let fault: Fault = () => undefined;
  const service: Service = (request) => {
    const action = (request.headers['x-amz-target'] ?? '').replace('AmazonSQS.', '');
    calls.push(action);
    const passed = () => sqs.service(request);
    return fault(action, passed) ?? passed();
  };
  const client = createSqsClient(sqs, { requestHandler: inProcess(service), maxAttempts: 1 });
  const inputs = Array.from({ length: chunks }, (_, at) => at);
  await seedHandler({ echo }, { sqs: plain })({ task: 'echo', inputs, chunkItems: 1 }, context);
  return {
    sqs,
    client,
    calls,
    taskQueueUrl,
    failing(next: Fault) {
      fault = next;
    },
    /** The event of Lambda's poller with all visible chunks. */
    async event() {
      const receive = new ReceiveMessageCommand({
        QueueUrl: taskQueueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      });
      const { Messages = [] } = await plain.send(receive);
      return {
        Records: Messages.map((message) => ({
          messageId: message.MessageId ?? '',
          receiptHandle: message.ReceiptHandle ?? '',
          body: message.Body ?? '',
          attributes: message.Attributes ?? {},
        })),
      };
    },
    visible: () => sqs.peek(names.tasks).filter(({ state }) => state === 'visible').length,
    /** Indexes with a result; notices of redelivered chunks are ignored. */
    results: () =>
      sqs.peek(names.results).flatMap(({ body }) => {
        const { results = [] } = JSON.parse(body) as { results?: { index: number }[] };
        return results.map(({ index }) => index);
      }),
  };
}

const denied = () => failure(403, 'AccessDeniedException', 'Not authorized.');
const broken = () => failure(500, 'InternalFailure', 'Try again.');
const never = () => new Promise<never>(() => {});
const on = (wanted: string, answer: () => Answer, times = Number.POSITIVE_INFINITY): Fault => {
  let left = times;
  return (action) => (action === wanted && left-- > 0 ? answer() : undefined);
};

async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

let said: unknown[][];
const log = (...line: unknown[]) => said.push(line);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
  said = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('a worker function', () => {
  it('claims all its messages before it loads the tasks module, which it loads once', async () => {
    const { client, calls, event, results } = await deployment({ chunks: 3 });
    const load = vi.fn(async () => {
      calls.push('load');
      return { echo };
    });
    const handler = workerHandler(load, { sqs: client });
    expect(load).not.toHaveBeenCalled();
    expect(await within(9, handler(await event(), context))).toEqual({ batchItemFailures: [] });
    expect(calls.slice(0, 4)).toEqual([...Array(3).fill('ChangeMessageVisibility'), 'load']);
    // No queue of the deployment's own is looked up but the one that the run reports to.
    expect(calls.filter((call) => call === 'GetQueueUrl')).toHaveLength(1);
    await within(9, handler({ Records: [] }, context));
    expect(load).toHaveBeenCalledOnce();
    expect(results()).toEqual([0, 1, 2]);
  });

  it('keeps its messages hidden while the tasks module loads', async () => {
    const { client, event, visible, results } = await deployment();
    const loaded = Promise.withResolvers<object>();
    const handling = workerHandler(() => loaded.promise, { sqs: client })(await event(), context);
    await pass(115);
    expect(visible()).toBe(0);
    loaded.resolve({ echo });
    expect(await within(9, handling)).toEqual({ batchItemFailures: [] });
    expect(results()).toEqual([0]);
  });

  it('does not touch a message that another worker has received', async () => {
    const { client, sqs, calls, event, failing } = await deployment();
    const answer = Promise.withResolvers<ServiceResponse>();
    const handling = workerHandler({ echo }, { sqs: client })(await event(), context);
    failing((action) => {
      if (action === 'SendMessage') return answer.promise;
      return action === 'ChangeMessageVisibility' && calls.length > 3 ? broken() : undefined;
    });
    // Its claim ends while it reports, and another worker receives the message.
    await pass(130);
    expect((await event()).Records).toHaveLength(1);
    // On a standard queue the first one's receipt handle would still change the message.
    failing(() => undefined);
    answer.resolve(broken());
    expect((await within(60, handling)).batchItemFailures).toHaveLength(1);
    await pass(60);
    expect(sqs.peek(names.tasks)).toMatchObject([{ state: 'inFlight', receiveCount: 2 }]);
  });
});

const LOADS = async () => ({ echo });

describe('a chunk is visible within half a minute, and processed within two, after', () => {
  it.each<[string, { fault?: Fault; load?: () => Promise<object>; options?: HandlerOptions }]>([
    ['a tasks module that throws', { load: () => Promise.reject(new RangeError('no')) }],
    ['a tasks module without tasks', { load: async () => ({ echo: 1 }) }],
    ['a run whose queue may not be looked for', { fault: on('GetQueueUrl', denied) }],
    ['a run whose queue can’t be looked for', { fault: on('GetQueueUrl', broken) }],
    ['a claim that SQS never confirmed', { fault: on('ChangeMessageVisibility', broken, 1) }],
    ['a claim that SQS never answered', { fault: on('ChangeMessageVisibility', never, 1) }],
    ['results that can’t be sent', { fault: on('SendMessage', broken) }],
    ['an environment that names no deployment', { options: { name: 'no name' } }],
  ])('%s', async (_, { fault, load = LOADS, options = {} }) => {
    const deployed = await deployment();
    const { client, event, failing, visible, results, taskQueueUrl } = deployed;
    if (fault) failing(fault);
    const exit = vi.fn();
    const here = { sqs: client, taskQueueUrl, log, exit };
    const handling = workerHandler(load, { ...here, ...options })(await event(), context);
    const begunAt = Date.now();
    const ended = await within(
      60,
      handling.catch((error: Error) => error),
    );
    if (!(ended instanceof Error)) expect(ended.batchItemFailures).toHaveLength(1);
    expect(visible()).toBe(0);
    await pass(30);
    expect(visible()).toBe(1);
    failing(() => undefined);
    // The next process.
    expect(await within(9, workerHandler(LOADS, here)(await event(), context))).toEqual({
      batchItemFailures: [],
    });
    expect(results()).toEqual([0]);
    expect(Date.now() - begunAt).toBeLessThan(120_000);
  });

  it('a tasks module that never finishes loading', async () => {
    const { client, event, visible } = await deployment();
    const handler = workerHandler(never, { sqs: client, log });
    const ended = handler(await event(), context).catch((error: Error) => error);
    await pass(110);
    expect(visible()).toBe(0);
    expect(await within(15, ended)).toMatchObject({
      code: 'BadTask',
      message: expect.stringContaining('was still loading after 120 s'),
    });
    await pass(30);
    expect(visible()).toBe(1);
  });
});

describe('a tasks module that throws', () => {
  const fails = () => vi.fn(() => Promise.reject(new RangeError('the table is not there')));

  it('fails each invocation of its process, logs its own error, and ends the process', async () => {
    const { client, event } = await deployment({ chunks: 2 });
    const load = fails();
    const exit = vi.fn();
    const handler = workerHandler(load, { sqs: client, log, exit });
    const { Records } = await event();
    for (const [at, record] of Records.entries()) {
      const handling = handler({ Records: [record] }, context);
      await expect(within(9, handling)).rejects.toMatchObject({
        code: 'BadTask',
        message: 'The tasks module could not be loaded: RangeError: the table is not there',
      });
      expect(exit).toHaveBeenCalledTimes(at + 1);
    }
    expect(load).toHaveBeenCalledOnce();
    expect(said[0]).toMatchObject([
      'error',
      'The tasks module could not be loaded',
      { error: expect.objectContaining({ message: 'the table is not there' }) },
    ]);
  });

  it('ends a burst worker before it receives a chunk', async () => {
    const { client, calls } = await deployment();
    const exit = vi.fn();
    const handling = burstHandler(fails(), { sqs: client, log, exit })({ hop: 0 }, context);
    await expect(within(9, handling)).rejects.toMatchObject({ code: 'BadTask' });
    expect(exit).toHaveBeenCalledOnce();
    expect(said[0]).toMatchObject(['error', 'The tasks module could not be loaded', {}]);
    expect(calls).toEqual([]);
  });

  it('is reported in the seed’s response', async () => {
    const { client, calls } = await deployment();
    const exit = vi.fn();
    const handler = seedHandler(fails(), { sqs: client, log, exit });
    const message = 'The tasks module could not be loaded: RangeError: the table is not there';
    for (const request of [{ task: 'echo', inputs: [1] }, {}]) {
      expect(await within(9, handler(request, context))).toEqual({
        error: { code: 'BadTask', message },
      });
    }
    expect(said[0]).toMatchObject(['error', 'The tasks module could not be loaded', {}]);
    expect(calls).toEqual([]);
    // At the second request, since the first one is answered.
    expect(exit).toHaveBeenCalledOnce();
  });

  it('fails an invocation that continues with an object, so that Lambda retries it', async () => {
    const { client } = await deployment();
    const handler = seedHandler(fails(), { sqs: client, log });
    const from = { byte: 5, line: 2, etag: 'e', hops: 1, chunks: 1 };
    const handling = handler({ task: 'echo', inputs: { s3: 's3://b/k.jsonl', from } }, context);
    await expect(within(9, handling)).rejects.toMatchObject({ code: 'BadTask' });
  });
});

it('a worker that is interrupted while it claims its messages starts nothing', async () => {
  const { client, event, visible } = await deployment();
  const stop = new AbortController();
  const tasks = { echo: defineTask({ name: 'echo', run: () => new Promise(() => {}) }) };
  const handler = workerHandler(tasks, { sqs: client, log, signal: stop.signal });
  const handling = handler(await event(), context);
  stop.abort(new Error('closed'));
  await within(9, handling);
  expect(visible()).toBe(1);
});

it('a claim is renewed and lost on time although the clock is set back', async () => {
  const { client, calls, event, failing, taskQueueUrl } = await deployment();
  const [{ receiptHandle = '' } = {}] = (await event()).Records;
  const claim = new Claim({ sqs: client, queueUrl: taskQueueUrl, receiptHandle });
  await within(1, claim.hold(60));
  vi.setSystemTime(Date.now() - 3_600_000);
  const before = calls.length;
  await pass(65);
  expect(calls.length - before).toBe(3);
  failing(broken);
  await pass(200);
  expect(claim.lost).toBe(true);
  claim.end();
});

it('a claim that is given up is not extended by a call in progress', async () => {
  const { client, event, failing, visible, taskQueueUrl } = await deployment();
  const [{ receiptHandle = '' } = {}] = (await event()).Records;
  const claim = new Claim({ sqs: client, queueUrl: taskQueueUrl, receiptHandle });
  const arrives = Promise.withResolvers<void>();
  let held = false;
  failing((_, passed) => {
    if (held) return undefined;
    held = true;
    return arrives.promise.then(passed);
  });
  void claim.hold(100);
  const released = claim.release();
  await pass(1);
  arrives.resolve();
  await within(9, released);
  expect(claim.lost).toBe(true);
  await pass(30);
  expect(visible()).toBe(1);
});

it('a claim counts from the request that extended it, not from its response', async () => {
  const { client, event, failing, taskQueueUrl } = await deployment();
  const [{ receiptHandle = '' } = {}] = (await event()).Records;
  const claim = new Claim({ sqs: client, queueUrl: taskQueueUrl, receiptHandle });
  failing((_, passed) => new Promise((resolve) => setTimeout(() => resolve(passed()), 10_000)));
  const held = claim.hold(0);
  await pass(10);
  await held;
  claim.end();
  // 120 s, of which ten have passed, less the margin of 30.
  expect(claim.covers(79)).toBe(true);
  expect(claim.covers(81)).toBe(false);
});

describe('a task with a setup', () => {
  /** A task with the chunk's name, whose setup takes as long as the test sets. */
  const taskOf = (made: Promise<string>) => {
    const torn: string[] = [];
    const task = defineTask({
      name: 'echo',
      setup: () => made,
      teardown: (what) => torn.push(what),
      run: (input: unknown, _, what) => `${what} ${input}`,
    });
    return { echo: task, torn };
  };

  it('keeps its claim during the setup, which runs at the first chunk', async () => {
    const { client, event, visible, results } = await deployment();
    const { promise, resolve } = Promise.withResolvers<string>();
    const { echo } = taskOf(promise);
    const handler = workerHandler({ echo }, { sqs: client });
    const answer = handler(await event(), context);
    await pass(115);
    expect(visible()).toBe(0);
    expect(results()).toEqual([]);
    resolve('ready');
    await pass(1);
    expect(await answer).toEqual({ batchItemFailures: [] });
    expect(results()).toEqual([0]);
  });

  it('can use the rest of the invocation, and the next invocation waits for it', async () => {
    const { client, event, visible, results } = await deployment();
    const { promise, resolve } = Promise.withResolvers<string>();
    const { echo } = taskOf(promise);
    const handler = workerHandler({ echo }, { sqs: client });
    const endsAt = performance.now() + 60_000;
    const getRemainingTimeInMillis = () => endsAt - performance.now();
    const answer = handler(await event(), { ...context, getRemainingTimeInMillis });
    await pass(56);
    // Nothing has run: the chunk is back in SQS, without the cost of an attempt.
    expect(await answer).toEqual({ batchItemFailures: [] });
    expect([visible() > 0, results()]).toEqual([true, []]);
    resolve('ready');
    const next = handler(await event(), context);
    await pass(1);
    await next;
    expect(results()).toEqual([0]);
  });

  it('is torn down when the process ends in order', async () => {
    const { client, event } = await deployment();
    const { echo, torn } = taskOf(Promise.resolve('ready'));
    const setups = new Setups();
    await workerHandler({ echo }, { sqs: client, setups })(await event(), context);
    expect(torn).toEqual([]);
    await setups.close();
    expect(torn).toEqual(['ready']);
  });
});
