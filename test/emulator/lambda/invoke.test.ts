import {
  InvalidRequestContentException,
  InvokeCommand,
  type InvokeCommandInput,
  type LambdaClient,
  ListFunctionsCommand,
  RequestTooLargeException,
  ResourceNotFoundException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLambdaClient, Lambda } from '../../../src/emulator/lambda/index.ts';

const SYNC_LIMIT = 6_291_456;
const ASYNC_LIMIT = 1_048_576;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let lambda: Lambda;
let client: LambdaClient;

/** Calls the function `work`, which every test adds, with JSON, and returns JSON. */
async function invoke(payload?: unknown, more: Partial<InvokeCommandInput> = {}) {
  const response = await client.send(
    new InvokeCommand({
      FunctionName: 'work',
      ...(payload === undefined ? {} : { Payload: JSON.stringify(payload) }),
      ...more,
    }),
  );
  const text = response.Payload?.transformToString() ?? '';
  return {
    status: response.StatusCode,
    error: response.FunctionError,
    version: response.ExecutedVersion,
    requestId: response.$metadata.requestId,
    payload: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

const refusal = (payload?: unknown, more?: Partial<InvokeCommandInput>) =>
  invoke(payload, more).catch((error: unknown) => error);
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);
const sleep = (count: number) => new Promise<void>((wake) => setTimeout(wake, count * 1000));

/** A handler that waits until it is released, and the number of its calls. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { handler: vi.fn(() => promise), open: resolve };
}

beforeEach(() => {
  vi.useFakeTimers();
  lambda = new Lambda({ accountId: '123456789012', region: 'eu-central-1' });
  client = createLambdaClient(lambda);
});
afterEach(async () => {
  await lambda.close();
  client.destroy();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('RequestResponse', () => {
  it.each([
    [{ list: [1, 'two', null], text: 'é \u{1f600} \u2028 "\\' }],
    [[1, 2, 3]],
    ['text'],
    [0],
    [false],
    [null],
  ])('returns %j unchanged', async (payload) => {
    const handler = vi.fn(async (event: unknown) => ({ got: event }));
    lambda.addFunction('work', handler);
    expect(await invoke(payload)).toEqual({
      status: 200,
      error: undefined,
      version: '$LATEST',
      requestId: expect.stringMatching(UUID),
      payload: { got: payload },
    });
    expect(handler.mock.calls[0]?.[0]).toEqual(payload);
  });

  it('returns null for a function that returns nothing', async () => {
    lambda.addFunction('work', async () => {});
    expect(await invoke()).toMatchObject({ status: 200, error: undefined, payload: null });
  });

  it('passes an empty object to the function if there is no payload', async () => {
    lambda.addFunction('work', async (event) => event);
    expect((await invoke()).payload).toEqual({});
  });

  it('passes the function a context with the invocation’s id and place', async () => {
    lambda.addFunction('work', async (_, context) => context, { memoryMb: 512 });
    const { payload, requestId } = await invoke();
    expect(payload).toEqual({
      awsRequestId: requestId,
      functionName: 'work',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:work',
      memoryLimitInMB: '512',
      logGroupName: '/aws/lambda/work',
      logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
    });
    expect((await invoke()).requestId).not.toBe(requestId);
  });

  it('has Lambda’s defaults: 3 seconds, 128 MB', async () => {
    lambda.addFunction('work', async (_, { memoryLimitInMB, getRemainingTimeInMillis }) => [
      memoryLimitInMB,
      getRemainingTimeInMillis(),
    ]);
    expect((await invoke()).payload).toEqual(['128', 3000]);
  });

  it('counts the remaining time down', async () => {
    lambda.addFunction(
      'work',
      async (_, { getRemainingTimeInMillis }) => {
        const before = getRemainingTimeInMillis();
        await sleep(4);
        return [before, getRemainingTimeInMillis()];
      },
      { timeoutSeconds: 10 },
    );
    const answer = invoke();
    await seconds(4);
    expect((await answer).payload).toEqual([10_000, 6_000]);
  });

  it('runs new code once the function is updated', async () => {
    lambda.addFunction('work', async () => 'old');
    lambda.addFunction('work', async () => 'new');
    expect((await invoke()).payload).toBe('new');
  });
});

describe('execution environments', () => {
  it('are reused when they are free, and never by two invocations at once', async () => {
    lambda.addFunction('work', async (event, { logStreamName }) => {
      await sleep(event === 'long' ? 2 : 1);
      return logStreamName;
    });
    const both = Promise.all([invoke('long'), invoke('short')]);
    await seconds(1);
    const third = invoke('short');
    await seconds(1);
    const [long, short] = await both;
    expect(long.payload).not.toBe(short.payload);
    expect((await third).payload).toBe(short.payload);
  });

  it('are not reused after an invocation has timed out in them', async () => {
    const environments: string[] = [];
    lambda.addFunction('work', async (event, { logStreamName }) => {
      environments.push(logStreamName);
      if (event === 'hang') await new Promise(() => {});
    });
    const hanging = invoke('hang');
    await seconds(3);
    expect((await hanging).error).toBe('Unhandled');
    await invoke();
    expect(new Set(environments).size).toBe(2);
  });
});

describe('FunctionName', () => {
  it.each([
    'work',
    'work:$LATEST',
    '123456789012:function:work',
    'arn:aws:lambda:eu-central-1:123456789012:function:work',
    'arn:aws:lambda:eu-central-1:123456789012:function:work:7',
  ])('may be %s', async (FunctionName) => {
    lambda.addFunction('work', async () => 'here');
    expect((await invoke(undefined, { FunctionName })).payload).toBe('here');
  });

  it.each(['wrok', 'arn:aws:lambda:eu-central-1:123456789012:function:wrok:7'])(
    'that names no function is refused: %s',
    async (FunctionName) => {
      lambda.addFunction('work', async () => 'here');
      const refused = await refusal(undefined, { FunctionName });
      expect(refused).toBeInstanceOf(ResourceNotFoundException);
      expect(refused).toMatchObject({
        name: 'ResourceNotFoundException',
        message: 'Function not found: arn:aws:lambda:eu-central-1:123456789012:function:wrok',
        $metadata: { httpStatusCode: 404, requestId: expect.stringMatching(UUID) },
      });
    },
  );
});

describe('DryRun', () => {
  it('returns 204 and runs nothing', async () => {
    const handler = vi.fn(async () => 'ran');
    lambda.addFunction('work', handler);
    expect(await invoke({ a: 1 }, { InvocationType: 'DryRun' })).toMatchObject({
      status: 204,
      payload: undefined,
    });
    await seconds(600);
    expect(handler).not.toHaveBeenCalled();
  });

  it('is refused for the same reasons as an invocation', async () => {
    const refused = await refusal(undefined, { InvocationType: 'DryRun' });
    expect(refused).toBeInstanceOf(ResourceNotFoundException);
  });
});

describe('Lambda refuses', () => {
  /** A payload of exactly this number of bytes, in two-byte characters. */
  const ofBytes = (bytes: number) => `"${'é'.repeat(bytes / 2 - 1)}"`;

  it.each([
    ['RequestResponse', SYNC_LIMIT],
    ['Event', ASYNC_LIMIT],
  ] as const)('a payload for %s over %d bytes', async (InvocationType, limit) => {
    const handler = vi.fn(async (event: unknown) => String(event).length);
    lambda.addFunction('work', handler);
    await invoke(undefined, { InvocationType, Payload: ofBytes(limit) });
    expect(handler).toHaveBeenCalledTimes(1);
    const refused = await refusal(undefined, { InvocationType, Payload: `${ofBytes(limit)} ` });
    expect(refused).toBeInstanceOf(RequestTooLargeException);
    expect(refused).toMatchObject({
      message: `${limit + 1} byte payload is too large for the ${InvocationType} invocation type (limit ${limit} bytes)`,
      $metadata: { httpStatusCode: 413 },
    });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each(['RequestResponse', 'Event'] as const)(
    'a payload for %s that is not JSON',
    async (InvocationType) => {
      const handler = vi.fn(async () => {});
      lambda.addFunction('work', handler);
      const refused = await refusal(undefined, { InvocationType, Payload: '{"a":' });
      expect(refused).toBeInstanceOf(InvalidRequestContentException);
      expect(refused).toMatchObject({
        message: expect.stringMatching(/^Could not parse request body into json: \S/),
        $metadata: { httpStatusCode: 400 },
      });
      expect(handler).not.toHaveBeenCalled();
    },
  );

  it('an invocation beyond the function’s concurrency, until one ends', async () => {
    const { handler, open } = gate();
    lambda.addFunction('work', handler, { concurrency: 2 });
    const running = [invoke(), invoke()];
    const refused = await refusal();
    expect(refused).toBeInstanceOf(TooManyRequestsException);
    expect(refused).toMatchObject({ $metadata: { httpStatusCode: 429 } });
    open();
    await Promise.all(running);
    expect((await invoke()).status).toBe(200);
    expect(handler).toHaveBeenCalledTimes(3);
  });

  it('any action but Invoke, by its name', async () => {
    await expect(client.send(new ListFunctionsCommand())).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringContaining('GET /2015-03-31/functions'),
    });
  });
});

describe('a function that fails', () => {
  class OutOfPaper extends Error {
    override readonly name = 'OutOfPaper';
  }

  it.each([
    ['throws', async () => Promise.reject(new OutOfPaper('tray 2 is empty'))],
    [
      'throws before it is asynchronous',
      () => {
        throw new OutOfPaper('tray 2 is empty');
      },
    ],
  ])('%s: its error is the response', async (_, handler) => {
    lambda.addFunction('work', handler);
    const { status, error, payload } = await invoke();
    expect({ status, error }).toEqual({ status: 200, error: 'Unhandled' });
    expect(payload).toEqual({
      errorType: 'OutOfPaper',
      errorMessage: 'tray 2 is empty',
      trace: expect.arrayContaining([
        'OutOfPaper: tray 2 is empty',
        expect.stringMatching(/^ {4}at .*invoke\.test\.ts/),
      ]),
    });
  });

  it.each([
    ['a text', 'string', 'a text'],
    [42, 'number', '42'],
    [undefined, 'undefined', 'undefined'],
    [{ code: 7 }, 'object', '[object Object]'],
  ])('throws %j, which is not an error', async (thrown, errorType, errorMessage) => {
    lambda.addFunction('work', async () => {
      throw thrown;
    });
    expect(await invoke()).toMatchObject({
      error: 'Unhandled',
      payload: { errorType, errorMessage, trace: [] },
    });
  });

  it.each([
    ['has no text', Object.create(null)],
    ['has no stack of lines', Object.assign(new Error('odd'), { stack: 7 })],
    [
      'cannot be read',
      Object.defineProperty(new Error(), 'message', {
        get() {
          throw new Error('unreadable');
        },
      }),
    ],
  ])('throws a value that %s', async (_, thrown) => {
    lambda.addFunction('work', async () => {
      throw thrown;
    });
    expect(await invoke()).toMatchObject({
      status: 200,
      error: 'Unhandled',
      payload: { errorType: 'handled', trace: [] },
    });
  });

  it('takes longer than its timeout', async () => {
    vi.setSystemTime('2026-11-23T16:55:14.123Z');
    lambda.addFunction('work', () => new Promise(() => {}), { timeoutSeconds: 2.5 });
    let ended = false;
    const answer = invoke().finally(() => {
      ended = true;
    });
    await seconds(2.4);
    expect(ended).toBe(false);
    await seconds(0.1);
    const { status, error, payload, requestId } = await answer;
    expect({ status, error }).toEqual({ status: 200, error: 'Unhandled' });
    expect(payload).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `2026-11-23T16:55:16.623Z ${requestId} Task timed out after 2.50 seconds`,
    });
  });

  it('releases its concurrency', async () => {
    lambda.addFunction('work', async () => Promise.reject(new Error('no')), { concurrency: 1 });
    for (let time = 0; time < 3; time++) expect((await invoke()).error).toBe('Unhandled');
  });

  it.each([
    ['a BigInt', 1n, /^Unable to stringify response body: .*BigInt/],
    [
      'what refuses to be JSON',
      {
        toJSON() {
          throw Object.create(null);
        },
      },
      /^Unable to stringify response body: \S/,
    ],
  ])('returns %s', async (_, returned, errorMessage) => {
    lambda.addFunction('work', async () => returned);
    expect(await invoke()).toMatchObject({
      error: 'Unhandled',
      payload: {
        errorType: 'Runtime.MarshalError',
        errorMessage: expect.stringMatching(errorMessage),
      },
    });
  });

  it('returns more than a response can hold', async () => {
    lambda.addFunction('work', async (event) => 'x'.repeat(Number(event) - 2));
    expect(await invoke(SYNC_LIMIT)).toMatchObject({ status: 200, error: undefined });
    expect(await invoke(SYNC_LIMIT + 1)).toMatchObject({
      status: 200,
      error: 'Unhandled',
      payload: {
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: `Response payload size (${SYNC_LIMIT + 1} bytes) exceeded maximum allowed payload size (${SYNC_LIMIT} bytes).`,
      },
    });
  });
});

describe('Event', () => {
  /** When each attempt began, in seconds, and under which request id. */
  let attempts: { at: number; id: string; event: unknown }[];
  let began: number;
  const note = (event: unknown, { awsRequestId: id }: { awsRequestId: string }) =>
    attempts.push({ at: (Date.now() - began) / 1000, id, event: structuredClone(event) });
  const times = () => attempts.map(({ at }) => at);
  const later = (payload?: unknown) => invoke(payload, { InvocationType: 'Event' });

  beforeEach(() => {
    attempts = [];
    began = Date.now();
  });

  it('returns 202 at once and runs the function once', async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    lambda.addFunction('work', async (event, context) => {
      note(event, context);
      await sleep(1);
      end();
    });
    const { status, payload, requestId } = await later({ n: 1 });
    expect({ status, payload }).toEqual({ status: 202, payload: undefined });
    await seconds(1);
    await ended;
    await seconds(3600);
    expect(attempts).toEqual([{ at: 0, id: requestId, event: { n: 1 } }]);
  });

  it('is retried after one minute and after two more, with the same request id', async () => {
    lambda.addFunction('work', async (event, context) => {
      note(event, context);
      (event as { n: number }).n++;
      throw new Error('no');
    });
    const { requestId } = await later({ n: 1 });
    await seconds(59.9);
    expect(times()).toEqual([0]);
    await seconds(119.9);
    expect(times()).toEqual([0, 60]);
    await seconds(24 * 3600);
    // A change that one attempt makes to its event does not affect the next.
    expect(attempts).toEqual([0, 60, 180].map((at) => ({ at, id: requestId, event: { n: 1 } })));
  });

  it('counts the waits from the end of an attempt, and a timeout as a failure', async () => {
    lambda.addFunction('work', async (event, context) => {
      note(event, context);
      await new Promise(() => {});
    });
    await later();
    await seconds(3600);
    expect(times()).toEqual([0, 63, 186]);
  });

  it('is not retried once it has succeeded', async () => {
    lambda.addFunction('work', async (event, context) => {
      note(event, context);
      if (attempts.length === 1) throw new Error('no');
    });
    await later();
    await seconds(3600);
    expect(times()).toEqual([0, 60]);
  });

  it('waits for a throttled function, which costs it no attempt', async () => {
    lambda.addFunction(
      'work',
      async (event, context) => {
        note(event, context);
        if (event === 'long') await sleep(800);
        else throw new Error('no');
      },
      { concurrency: 1, timeoutSeconds: 900 },
    );
    await later('long');
    expect((await later('short')).status).toBe(202);
    await seconds(3600);
    // Retries after 1, 2, 4 ... 256 and then 300 seconds: 0, 1, 3, 7 ... 511, 811.
    expect(attempts.map(({ at, event }) => [event, at])).toEqual([
      ['long', 0],
      ['short', 811],
      ['short', 871],
      ['short', 991],
    ]);
  });

  it('is dropped after six hours of throttling', async () => {
    const { handler, open } = gate();
    lambda.addFunction('work', handler, { concurrency: 1, timeoutSeconds: 12 * 3600 });
    const running = invoke();
    await later();
    await seconds(7 * 3600);
    open();
    await running;
    await seconds(3600);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('is retried as often as its function allows', async () => {
    const handler = async (event: unknown, context: { awsRequestId: string }) => {
      note(event, context);
      throw new Error('no');
    };
    lambda.addFunction('work', handler, { maxRetryAttempts: 0 });
    await later();
    await seconds(3600);
    expect(times()).toEqual([0]);
    lambda.addFunction('work', handler, { maxRetryAttempts: 1 });
    await later();
    await seconds(3600);
    expect(times()).toEqual([0, 3600, 3660]);
  });

  it('is dropped at the age that its function sets', async () => {
    const { handler, open } = gate();
    const options = { concurrency: 1, timeoutSeconds: 900, maxEventAgeSeconds: 60 };
    lambda.addFunction('work', handler, options);
    const running = invoke();
    await later();
    await seconds(62);
    open();
    await running;
    await seconds(3600);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each([
    [{ maxRetryAttempts: 3 }, '`maxRetryAttempts` must be a whole number from 0 to 2; got 3.'],
    [
      { maxEventAgeSeconds: 59 },
      '`maxEventAgeSeconds` must be a whole number from 60 to 21600; got 59.',
    ],
  ])('is limited as in Lambda: not %o', (options, message) => {
    expect(() => lambda.addFunction('work', async () => {}, options)).toThrow(message);
  });

  it('is not retried after close, whether it failed before or after', async () => {
    lambda.addFunction('work', async (event, context) => {
      note(event, context);
      await sleep(event === 'long' ? 2 : 0);
      throw new Error('no');
    });
    await later('short');
    await later('long');
    await seconds(1);
    await lambda.close();
    await seconds(3600);
    expect(attempts.map(({ at, event }) => [event, at])).toEqual([
      ['short', 0],
      ['long', 0],
    ]);
  });
});
