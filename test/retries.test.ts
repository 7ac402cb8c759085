import { expect, it, onTestFinished } from 'vitest';
import { connect } from '../src/connect.ts';
import { RetryLater } from '../src/retry-later.ts';
import { defineTask, type TaskOptions } from '../src/task.ts';
import { fastTime } from './fast-time.ts';

/** Runs a task over one input; returns its result and the attempts that it was called with. */
async function attemptsOf(
  options: Omit<TaskOptions, 'name'>,
  run: (call: number) => unknown,
): Promise<{ result: unknown; attempts: number[] }> {
  const attempts: number[] = [];
  const task = defineTask<number, unknown>({
    ...{ name: 'flaky', backoffBaseSeconds: 0, ...options },
    run: (_, { attempt }) => {
      attempts.push(attempt);
      return run(attempts.length);
    },
  });
  await using fanfold = await connect();
  const [result] = await Array.fromAsync(fanfold.map(task, [1]));
  return { result, attempts };
}

function failing(calls: number, error: () => Error) {
  return (call: number) => {
    if (call <= calls) throw error();
    return 'done';
  };
}

it('an attempt that is to be made later does not count', async () => {
  onTestFinished(fastTime(20));
  const busy = failing(4, () => new RetryLater(0.5));
  const { result, attempts } = await attemptsOf({ maxAttempts: 2 }, busy);
  expect(result).toMatchObject({ status: 'ok', output: 'done' });
  expect(attempts).toEqual([1, 1, 1, 1, 1]);
});

it.each([
  ['no time', () => new RetryLater(0)],
  [
    'a date in the past',
    () => RetryLater.from({ headers: { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' } }),
  ],
])('an input that is told %s waits for a second', async (_, error) => {
  onTestFinished(fastTime(20));
  const begun = performance.now();
  await attemptsOf({ maxAttempts: 1 }, failing(3, error));
  expect(performance.now() - begun).toBeGreaterThanOrEqual(2_900);
});

it('an input waits as long as it is told', async () => {
  const begun = performance.now();
  await attemptsOf(
    { maxAttempts: 1 },
    failing(1, () => new RetryLater(1)),
  );
  expect(performance.now() - begun).toBeGreaterThanOrEqual(900);
});

it.each([
  ['7', 7],
  [' 0 ', 0],
  ['99999999', 43_200],
  [null, 2],
  ['soon', 2],
  ['1.5', 1.5],
  ['5, 10', 2],
  ['in 5', 2],
  ['-5', 2],
  ['120 seconds', 2],
  ['2099-01-01', 2],
  ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
])('a response with Retry-After of %j is retried after %d s', (header, seconds) => {
  const headers = new Headers(header === null ? {} : { 'retry-after': header });
  expect(RetryLater.from({ status: 429, headers }, 2).message).toContain(
    `429: retry in ${seconds} s`,
  );
});

it('refuses a wait that is no time', () => {
  for (const seconds of [-1, Number.NaN, 43_201]) {
    expect(() => new RetryLater(seconds)).toThrow(`from 0 to 43200; got ${seconds}.`);
  }
  expect(() => new RetryLater('5' as never)).toThrow('from 0 to 43200; got "5".');
});

it('a response of another client than fetch has its time, too', () => {
  const { message } = RetryLater.from({ statusCode: 503, headers: { 'retry-after': '7' } });
  expect(message).toBe('The response had status 503: retry in 7 s.');
  expect(RetryLater.from({ status: 429, headers: {} }, 3).message).toContain('in 3 s');
});

it.each([null, undefined, {}, 'busy', new Headers()])(
  'refuses %j, which is no response',
  (value) => {
    expect(() => RetryLater.from(value as never)).toThrow(
      expect.objectContaining({
        code: 'BadOption',
        message: expect.stringMatching(/fetch.*new RetryLater\(seconds\)/),
      }),
    );
  },
);

it('a task decides whether an attempt is repeated', async () => {
  const errors: [string, number][] = [];
  const retry = (error: unknown, attempt: number) => {
    errors.push([String(error), attempt]);
    return attempt < 2 ? 0 : false;
  };
  const fails = failing(9, () => new Error('no'));
  const { result, attempts } = await attemptsOf({ maxAttempts: 5, retry }, fails);
  expect(result).toMatchObject({ status: 'failed', error: { message: 'no', attempts: 2 } });
  expect(attempts).toEqual([1, 2]);
  expect(errors).toEqual([
    ['Error: no', 1],
    ['Error: no', 2],
  ]);
});

it('the most attempts of a task hold, whatever it decides', async () => {
  const fails = failing(9, () => new Error('no'));
  const { attempts } = await attemptsOf({ maxAttempts: 3, retry: () => 0 }, fails);
  expect(attempts).toEqual([1, 2, 3]);
});

it.each([
  ['a promise', () => Promise.resolve(1) as never, 'got a Promise'],
  ['true', () => true as never, 'got true'],
  ['text', () => '3' as never, 'got "3"'],
  ['a negative time', () => -1, 'got -1'],
  [
    'an error',
    () => {
      throw new Error('undecided');
    },
    'undecided',
  ],
])('a decision that is %s fails the input', async (_, retry, message) => {
  const fails = failing(9, () => new Error('no'));
  const { result, attempts } = await attemptsOf({ maxAttempts: 3, retry }, fails);
  expect(result).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining(message), cause: { message: 'no' } },
  });
  expect(attempts).toEqual([1]);
});

it('a task that adapts is put off far less often by a service with a limit', async () => {
  onTestFinished(fastTime(10));
  const LIMIT = 100;
  const refusedOf = async (adaptive: boolean) => {
    let refused = 0;
    let calls: number[] = [];
    const task = defineTask({
      ...{ name: 'limited', concurrency: 20, adaptive },
      async run(n: number) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        const now = performance.now();
        calls = calls.filter((at) => at > now - 1_000);
        if (calls.length < LIMIT) {
          calls.push(now);
          return n;
        }
        refused++;
        throw new RetryLater(0.1);
      },
    });
    await using fanfold = await connect({ workers: 1 });
    const outputs = await fanfold
      .map(
        task,
        Array.from({ length: 300 }, (_, n) => n),
      )
      .all();
    expect(outputs).toHaveLength(300);
    return refused;
  };
  const [unheld, adapting] = await Promise.all([refusedOf(false), refusedOf(true)]);
  expect(adapting * 3).toBeLessThan(unheld);
});
