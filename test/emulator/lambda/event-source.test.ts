import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  CreateQueueCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createLambdaClient,
  type EventSource,
  Lambda,
} from '../../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';

const VISIBILITY_SECONDS = 3600;

/** An SQS event, as the function receives it. */
interface SqsEvent {
  Records: { messageId: string; body: string; attributes: Record<string, string> }[];
}
type Options = Partial<Parameters<Lambda['addSqsEventSource']>[1]>;
type FunctionOptions = Parameters<Lambda['addFunction']>[2];

let sqs: Sqs;
let lambda: Lambda;
let client: SQSClient;
let QueueUrl: string;
/** The messages' bodies of each invocation. */
let batches: string[][];
/** Calls of the source's client that wait for their answer, by their names. */
let waiting: Map<string, number>;
/** Calls of the source's client so far, by their names. */
let calls: Map<string, number>;

/** A client that counts its calls, and fails those that `fails` names. */
function countingClient(fails: (call: string) => boolean = () => false): SQSClient {
  const counting = createSqsClient(sqs);
  const count = (counts: Map<string, number>, call: string, by: number) =>
    counts.set(call, (counts.get(call) ?? 0) + by);
  counting.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const call = commandName.replace(/Command$/, '');
        count(calls, call, 1);
        count(waiting, call, 1);
        try {
          if (fails(call)) throw new Error('The network is down.');
          return await next(args);
        } finally {
          count(waiting, call, -1);
        }
      },
    { step: 'initialize' },
  );
  return counting;
}

/** Adds a function, whose invocations are recorded in `batches`, and its event source. */
function source(
  handler: (bodies: string[], event: SqsEvent) => unknown,
  { options = {}, functionOptions }: { options?: Options; functionOptions?: FunctionOptions } = {},
): EventSource {
  lambda.addFunction(
    'work',
    async (event) => {
      const bodies = (event as SqsEvent).Records.map(({ body }) => body);
      batches.push(bodies);
      return handler(bodies, event as SqsEvent);
    },
    { timeoutSeconds: 900, ...functionOptions },
  );
  return lambda.addSqsEventSource('work', {
    sqs: countingClient(),
    queueUrl: QueueUrl,
    ...options,
  });
}

async function send(...bodies: string[]): Promise<void> {
  for (let at = 0; at < bodies.length; at += 10) {
    const Entries = bodies
      .slice(at, at + 10)
      .map((MessageBody, id) => ({ Id: String(id), MessageBody }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  }
}
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `m${at}`);
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);
const sleep = (count: number) => new Promise<void>((wake) => setTimeout(wake, count * 1000));
/** The content of the queue: bodies, and receive counts. */
const held = () => sqs.peek('tasks').map(({ body, receiveCount }) => [body, receiveCount]);

beforeEach(async () => {
  vi.useFakeTimers();
  waiting = new Map();
  calls = new Map();
  batches = [];
  sqs = new Sqs({ accountId: '123456789012', region: 'eu-central-1' });
  lambda = new Lambda({ accountId: '123456789012', region: 'eu-central-1' });
  client = createSqsClient(sqs);
  const Attributes = { VisibilityTimeout: String(VISIBILITY_SECONDS) };
  const created = await client.send(new CreateQueueCommand({ QueueName: 'tasks', Attributes }));
  QueueUrl = created.QueueUrl ?? '';
});
afterEach(async () => {
  const closing = lambda.close();
  // Sources that still run after a failed test.
  await seconds(3600);
  await closing;
  sqs.close();
  client.destroy();
  expect(vi.getTimerCount()).toBe(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('an event', () => {
  it('of a FIFO queue has the group of each message, and one message of a group at a time', async () => {
    const Attributes = { FifoQueue: 'true', VisibilityTimeout: '3600' };
    const made = await client.send(new CreateQueueCommand({ QueueName: 'lanes.fifo', Attributes }));
    for (const [at, MessageGroupId] of ['a', 'b', 'a'].entries()) {
      const message = { MessageBody: `m${at}`, MessageGroupId, MessageDeduplicationId: String(at) };
      await client.send(new SendMessageCommand({ QueueUrl: made.QueueUrl, ...message }));
    }
    const events: SqsEvent[] = [];
    const work = async (_: string[], event: SqsEvent) => {
      events.push(event);
      await sleep(10);
    };
    const options = { queueUrl: made.QueueUrl ?? '', batchSize: 1, maxConcurrency: 4 };
    const closing = source(work, { options });
    await seconds(9);
    expect(batches).toEqual([['m0'], ['m1']]);
    await seconds(10);
    expect(batches).toEqual([['m0'], ['m1'], ['m2']]);
    expect(events.flatMap(({ Records }) => Records)).toMatchObject(
      ['a', 'b', 'a'].map((MessageGroupId, at) => ({
        eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:lanes.fifo',
        attributes: {
          ...{ MessageGroupId, MessageDeduplicationId: String(at) },
          ...{ ApproximateReceiveCount: '1', SequenceNumber: expect.stringMatching(/^\d{20}$/) },
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
        },
      })),
    );
    void closing.close();
  });

  it('has records like those of Lambda', async () => {
    vi.setSystemTime('2026-11-23T16:55:14.123Z');
    const events: SqsEvent[] = [];
    source((_, event) => events.push(event));
    const sent = await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: '{"n":1}',
        MessageGroupId: 'run-1',
        MessageAttributes: {
          text: { DataType: 'String', StringValue: 'ü' },
          count: { DataType: 'Number', StringValue: '7' },
          bytes: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255, 1) },
        },
      }),
    );
    await seconds(0);
    const lists = { stringListValues: [], binaryListValues: [] };
    expect(events).toEqual([
      {
        Records: [
          {
            messageId: sent.MessageId,
            receiptHandle: expect.stringMatching(/./),
            body: '{"n":1}',
            attributes: {
              ApproximateReceiveCount: '1',
              ApproximateFirstReceiveTimestamp: '1795452914123',
              SentTimestamp: '1795452914123',
              SenderId: expect.any(String),
              MessageGroupId: 'run-1',
            },
            messageAttributes: {
              text: { dataType: 'String', stringValue: 'ü', ...lists },
              count: { dataType: 'Number', stringValue: '7', ...lists },
              bytes: { dataType: 'Binary', binaryValue: 'AP8B', ...lists },
            },
            md5OfBody: sent.MD5OfMessageBody,
            md5OfMessageAttributes: sent.MD5OfMessageAttributes,
            eventSource: 'aws:sqs',
            eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:tasks',
            awsRegion: 'eu-central-1',
          },
        ],
      },
    ]);
  });

  it('has up to batchSize messages', async () => {
    await send(...numbered(7));
    source(() => {}, { options: { batchSize: 3, maxConcurrency: 1 } });
    await seconds(0);
    expect(batches).toEqual([['m0', 'm1', 'm2'], ['m3', 'm4', 'm5'], ['m6']]);
  });

  it('has up to ten messages if no batchSize is given', async () => {
    await send(...numbered(11));
    source(() => {}, { options: { maxConcurrency: 1 } });
    await seconds(0);
    expect(batches.map((batch) => batch.length)).toEqual([10, 1]);
  });

  it('is sent as soon as there is a message, however long the queue was empty', async () => {
    source(() => {});
    await seconds(3605.5);
    await send('late');
    await seconds(0);
    expect(batches).toEqual([['late']]);
  });

  it('is an invocation of its own: with an id, and with the function’s timeout', async () => {
    const ids: string[] = [];
    lambda.addFunction('work', async (_, { awsRequestId, getRemainingTimeInMillis }) => {
      ids.push(awsRequestId);
      expect(getRemainingTimeInMillis()).toBe(3000);
    });
    lambda.addSqsEventSource('work', { sqs: client, queueUrl: QueueUrl, batchSize: 1 });
    await send('a', 'b');
    await seconds(0);
    expect(new Set(ids).size).toBe(2);
    expect(held()).toEqual([]);
  });

  it('runs the code that the function has by then', async () => {
    source(() => {});
    await send('first');
    await seconds(0);
    const handler = vi.fn(async () => {});
    lambda.addFunction('work', handler);
    await send('second');
    await seconds(0);
    expect(batches).toEqual([['first']]);
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe('messages', () => {
  it('are deleted once the function has ended, not before', async () => {
    source(() => sleep(5));
    await send('a', 'b');
    await seconds(4.9);
    expect(held()).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    await seconds(0.1);
    expect(held()).toEqual([]);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('no')), {}],
    ['times out', () => new Promise(() => {}), { timeoutSeconds: 2 }],
  ])(
    'of a function that %s are redelivered when their visibility timeout ends',
    async (_, fails, options) => {
      const counts: unknown[] = [];
      source(
        (_, { Records }) => {
          counts.push(Records.map(({ attributes }) => attributes.ApproximateReceiveCount));
          return counts.length < 3 ? fails() : undefined;
        },
        { functionOptions: options },
      );
      await send('a', 'b');
      await seconds(VISIBILITY_SECONDS - 0.1);
      expect(batches).toHaveLength(1);
      await seconds(VISIBILITY_SECONDS);
      expect(batches).toHaveLength(2);
      await seconds(VISIBILITY_SECONDS);
      expect(batches).toEqual(Array(3).fill(['a', 'b']));
      expect(counts).toEqual([
        ['1', '1'],
        ['2', '2'],
        ['3', '3'],
      ]);
      expect(held()).toEqual([]);
    },
  );

  it('that could not be deleted are redelivered', async () => {
    let down = true;
    const flaky = countingClient((call) => down && call === 'DeleteMessageBatch');
    source(() => {}, { options: { sqs: flaky } });
    await send('a');
    await seconds(1);
    expect(calls.get('DeleteMessageBatch')).toBe(1);
    down = false;
    await seconds(VISIBILITY_SECONDS);
    expect(batches).toEqual([['a'], ['a']]);
    expect(held()).toEqual([]);
  });
});

describe('a partial batch response', () => {
  /** The messages of a, b and c that are left after the function's response, which can use their ids. */
  async function left(
    answer: (idOf: (body: string) => string) => unknown,
    reportBatchItemFailures = true,
  ): Promise<unknown[]> {
    source(
      (_, { Records }) =>
        answer((wanted) => Records.find(({ body }) => body === wanted)?.messageId ?? ''),
      { options: { reportBatchItemFailures } },
    );
    await send('a', 'b', 'c');
    await seconds(1);
    expect(batches).toEqual([['a', 'b', 'c']]);
    return held().map(([body]) => body);
  }
  const items = (...ids: unknown[]) => ({
    batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
  });

  it('keeps the messages that it lists until their visibility timeout ends', async () => {
    expect(await left((idOf) => items(idOf('b')))).toEqual(['b']);
    await seconds(VISIBILITY_SECONDS);
    expect(batches).toEqual([['a', 'b', 'c'], ['b']]);
  });

  it.each([
    ['an empty list', { batchItemFailures: [] }],
    ['a list that is null', { batchItemFailures: null }],
    ['no list', {}],
    ['null', null],
    ['nothing', undefined],
  ])('with %s means that all went well', async (_, answer) => {
    expect(await left(() => answer)).toEqual([]);
  });

  it.each([
    ['an unknown id', (id: string) => items(id, 'no-such-id')],
    ['an empty id', () => items('')],
    ['an id that is null', () => items(null)],
    ['an id under another key', (id: string) => ({ batchItemFailures: [{ id }] })],
    ['an item that is null', () => ({ batchItemFailures: [null] })],
    ['a list that is none', (id: string) => ({ batchItemFailures: id })],
  ])('with %s means that all failed', async (_, answer) => {
    expect(await left((idOf) => answer(idOf('b')))).toEqual(['a', 'b', 'c']);
  });

  it('is ignored by a source that does not ask for it', async () => {
    expect(await left((idOf) => items(idOf('b')), false)).toEqual([]);
  });
});

describe('concurrency', () => {
  it('grows with the work, up to maxConcurrency', async () => {
    const working = source(() => sleep(10), { options: { batchSize: 1, maxConcurrency: 4 } });
    await send('m0');
    await seconds(0);
    expect(working.busy).toBe(1);
    await send(...numbered(10).slice(1));
    await seconds(9.9);
    expect(working.busy).toBe(4);
    expect(batches).toHaveLength(4);
    await seconds(0.1);
    expect(working.busy).toBe(4);
    expect(batches).toHaveLength(8);
    await seconds(20);
    expect(working.busy).toBe(0);
    expect(batches.flat().sort()).toEqual(numbered(10).sort());
    expect(held()).toEqual([]);
  });

  it('reaches its maximum at once without a ramp', async () => {
    await send(...numbered(200));
    const working = source(() => sleep(600), { options: { batchSize: 1 } });
    await seconds(0);
    expect(working.busy).toBe(200);
    await seconds(600);
  });

  it.each([
    [1, {}],
    [3, { minConcurrency: 3 }],
  ])('shrinks to %d pollers when there is nothing to do', async (least, options) => {
    source(() => sleep(1), { options: { batchSize: 1, maxConcurrency: 8, ...options } });
    expect(waiting.get('ReceiveMessage')).toBe(least);
    await send(...numbered(20));
    await seconds(0);
    await seconds(3);
    expect(waiting.get('ReceiveMessage')).toBe(8);
    await seconds(60);
    expect(waiting.get('ReceiveMessage')).toBe(least);
    await send(...numbered(8));
    await seconds(0);
    expect(batches).toHaveLength(28);
    await seconds(1);
  });

  it('is limited by the function’s own, and no waiting message is lost', async () => {
    const times: number[] = [];
    const began = Date.now();
    source(
      async () => {
        times.push(Math.floor((Date.now() - began) / 1000));
        await sleep(2);
      },
      {
        options: { batchSize: 1, maxConcurrency: 5 },
        functionOptions: { concurrency: 1 },
      },
    );
    await send(...numbered(5));
    await seconds(300);
    expect(times).toHaveLength(5);
    expect(new Set(times).size).toBe(5);
    expect(batches.flat().sort()).toEqual(numbered(5));
    expect(held()).toEqual([]);
  });

  it('is shared with other invocations of the function', async () => {
    const { promise: busy, resolve: free } = Promise.withResolvers<void>();
    source((bodies) => (bodies[0] === 'other' ? busy : undefined), {
      functionOptions: { concurrency: 1 },
    });
    const Payload = JSON.stringify({ Records: [{ body: 'other' }] });
    const other = createLambdaClient(lambda).send(
      new InvokeCommand({ FunctionName: 'work', Payload }),
    );
    await send('ours');
    await seconds(30);
    expect(batches).toEqual([['other']]);
    free();
    await other;
    await seconds(10);
    expect(batches).toEqual([['other'], ['ours']]);
    expect(held()).toEqual([]);
  });
});

describe('a ramp', () => {
  const ramped = (handler: () => unknown) =>
    source(handler, { options: { batchSize: 1, ramp: true, maxConcurrency: 400 } });

  it('starts with 5 and adds 300 a minute while invocations run', async () => {
    await send(...numbered(500));
    const working = ramped(() => sleep(600));
    await seconds(0.1);
    expect(working.busy).toBe(5);
    await seconds(10);
    expect(working.busy).toBe(55);
    await seconds(50);
    expect(working.busy).toBe(305);
    await seconds(60);
    expect(working.busy).toBe(400);
    await seconds(1200);
  });

  it('starts again after a quiet period', async () => {
    const working = ramped(() => sleep(20));
    await seconds(3600);
    await send(...numbered(100));
    await seconds(0.1);
    expect(working.busy).toBe(5);
    await seconds(2);
    expect(working.busy).toBe(15);
    await seconds(120);
  });
});

describe('close', () => {
  it('waits for running invocations, deletes their messages, and receives no more', async () => {
    const { promise, resolve: end } = Promise.withResolvers<void>();
    const working = source(() => promise, { options: { batchSize: 1 } });
    await send('begun');
    await seconds(0);
    let closed = false;
    const closing = working.close().then(() => {
      closed = true;
    });
    await send('too late');
    await seconds(30);
    expect(closed).toBe(false);
    end();
    await closing;
    await seconds(3600);
    expect(batches).toEqual([['begun']]);
    expect(held()).toEqual([['too late', 0]]);
    expect(working.busy).toBe(0);
  });

  it('ends at once if nothing runs, and when it is called twice', async () => {
    const idle = source(() => {}, { options: { minConcurrency: 3 } });
    await seconds(5);
    await idle.close();
    await idle.close();
    expect(waiting.get('ReceiveMessage')).toBe(0);
  });

  it('is called for each source when the Lambda is closed', async () => {
    const working = source(() => sleep(5));
    await send('begun');
    await seconds(0);
    const closing = lambda.close();
    await seconds(5);
    await closing;
    expect(working.busy).toBe(0);
    expect(held()).toEqual([]);
  });

  it('releases messages that wait for a throttled function', async () => {
    const working = source(() => {}, { functionOptions: { concurrency: 0 } });
    await send('a');
    await seconds(1);
    await working.close();
    expect(batches).toEqual([]);
    expect(held()).toEqual([['a', 1]]);
  });

  it('does not wait out the pause after a failed receive', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.99);
    const failing = source(() => {}, { options: { sqs: countingClient(() => true) } });
    await seconds(60);
    await failing.close();
  });
});

describe('receives that fail', () => {
  it('are retried with growing pauses', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    let down = true;
    source(() => {}, { options: { sqs: countingClient(() => down) } });
    await send('a');
    await seconds(600);
    // 0.1, 0.2, 0.4 ... 5, and then every 5 seconds.
    expect(calls.get('ReceiveMessage')).toBe(125);
    down = false;
    await seconds(5);
    expect(batches).toEqual([['a']]);
    expect(held()).toEqual([]);
  });

  it('continue if the queue is created later', async () => {
    source(() => {}, { options: { queueUrl: QueueUrl.replace('tasks', 'later') } });
    await seconds(60);
    QueueUrl = (await client.send(new CreateQueueCommand({ QueueName: 'later' }))).QueueUrl ?? '';
    await send('a');
    await seconds(10);
    expect(batches).toEqual([['a']]);
  });
});

describe('options', () => {
  it.each([
    [{ batchSize: 0 }, '`batchSize` must be a whole number from 1 to 10; got 0.'],
    [{ batchSize: 11 }, '`batchSize` must be a whole number from 1 to 10; got 11.'],
    [{ batchSize: Number.NaN }, '`batchSize` must be a whole number from 1 to 10; got NaN.'],
    [{ minConcurrency: 0 }, '`minConcurrency` and `maxConcurrency` must be 1 or more.'],
    [{ maxConcurrency: 0 }, '`minConcurrency` and `maxConcurrency` must be 1 or more.'],
  ])('out of range are refused: %j', (options, message) => {
    expect(() => source(() => {}, { options })).toThrow(
      expect.objectContaining({ code: 'BadOption', message }),
    );
  });

  it('for a missing function are refused', () => {
    expect(() => lambda.addSqsEventSource('wrok', { sqs: client, queueUrl: QueueUrl })).toThrow(
      expect.objectContaining({
        code: 'BadOption',
        message: 'There is no function named "wrok".',
      }),
    );
  });
});
