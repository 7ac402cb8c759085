import { expect, it, vi } from 'vitest';
import {
  connect,
  defineTask,
  FailedInputs,
  type Fanfold,
  FanfoldError,
  type RunOptions,
} from '../src/index.ts';

const double = defineTask({ name: 'double', run: (n: number) => n * 2 });

function* counted() {
  yield 1;
}

/** The error of a call whose arguments no type allows. */
async function refused(call: (fanfold: Fanfold, any: (value: unknown) => never) => unknown) {
  await using fanfold = await connect();
  try {
    call(fanfold, (value) => value as never);
  } catch (error) {
    expect(error).toBeInstanceOf(FanfoldError);
    return error;
  }
  throw new Error('It was not refused.');
}

it.each([
  ['a number for a task', 'BadTask', /defineTask\(\).*; got 5/, 5, [1]],
  ['the name of no task', 'UnknownTask', /"text".*Pass the task itself/, 'text', [1]],
  ['no task', 'BadTask', /; got undefined/, undefined, [1]],
  ['what is like a task', 'BadTask', /; got an object/, { name: 'a', run: () => 1 }, [1]],
  ['no inputs', 'BadInput', /an array.*; got undefined/, double, undefined],
  ['null for inputs', 'BadInput', /; got null/, double, null],
  ['an object for inputs', 'BadInput', /; got an object/, double, {}],
  ['a text for inputs', 'BadInput', /character.*array/, double, 'text'],
  ['a number for inputs', 'BadInput', /; got 5/, double, 5],
  ['a Promise for inputs', 'BadInput', /a Promise: await it/, double, Promise.resolve([1])],
  ['a generator function', 'BadInput', /a function: call it/, double, counted],
] as const)('map() refuses %s at once', async (_, code, message, task, inputs) => {
  expect(await refused((fanfold, any) => fanfold.map(any(task), any(inputs)))).toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

it.each([
  ['misspelt', { orderd: true }, /no option `orderd`.*`ordered`/],
  ['of another kind', { ordered: 'yes' }, /`ordered` must be true or false; got the string "yes"/],
  ['a signal that is none', { signal: new AbortController() }, /`signal` must be an AbortSignal/],
  ['a deadline that is none', { deadlineSeconds: '5' }, /`deadlineSeconds`/],
  ['a budget that is none', { maxFailures: 'some' }, /`maxFailures`/],
  ['a record of another run', { resume: 'run' }, /`resume` must be an object/],
  ['none', 5, /an object with options; got 5/],
])('map() refuses options at once that are %s', async (_, options, message) => {
  expect(await refused((fanfold) => fanfold.map(double, [1], options as RunOptions))).toMatchObject(
    { code: 'BadOption', message: expect.stringMatching(message) },
  );
});

it.each([
  [{ worker: 2 }, /no option `worker`.*`workers`/],
  [{ tasks: 5 }, /`tasks` must be a URL or a path; got 5/],
  [{ stack: ['a'] }, /`stack` must be a string; got an array/],
  [null, /an object with options; got null/],
])('connect() refuses the options %o', async (options, message) => {
  await expect(connect(options as object)).rejects.toMatchObject({
    code: 'BadOption',
    message: expect.stringMatching(message),
  });
});

it('map() accepts inputs of every iterable kind', async () => {
  await using fanfold = await connect();
  const kinds = [[1], new Set([1]), counted(), ReadableStream.from([1])];
  for (const inputs of kinds as Iterable<number>[]) {
    expect(
      await Array.fromAsync(fanfold.map(double, inputs, { signal: undefined } as object).outputs()),
    ).toEqual([2]);
  }
});

it('a function is mapped in this process, like a task, and forgotten afterwards', async () => {
  await using fanfold = await connect();
  const half = async (n: number, { index }: { index: number }) => ({ half: n / 2, index });
  expect(await fanfold.map(half, [4, 2]).all()).toEqual([
    { half: 2, index: 0 },
    { half: 1, index: 1 },
  ]);
  // Two of one name, in one process, at once.
  const functions = [(n: number) => n + 1, (n: number) => n * 10];
  const runs = functions.map((add) => fanfold.map(add, [1]).all());
  expect(await Promise.all(runs)).toEqual([[2], [10]]);
  await vi.waitFor(() => {
    expect(() => fanfold.map('half-1', [])).toThrow('Known tasks: none');
  });
});

it('a function for a place elsewhere is refused with what to define', async () => {
  const tasks = new URL('./fixtures/tasks.ts', import.meta.url);
  await using fanfold = await connect({ tasks, workers: 1 });
  const half = (n: number) => n / 2;
  expect(() => fanfold.map(half, [1])).toThrow(/export const half = defineTask\(/);
});

it('all outputs are in input order', async () => {
  await using fanfold = await connect({ workers: 4 });
  const late = (ms: number) => new Promise<number>((resolve) => setTimeout(resolve, ms, ms));
  expect(await fanfold.map(late, [30, 0, 10]).all()).toEqual([30, 0, 10]);
  expect(await fanfold.map(late, []).all()).toEqual([]);
});

it('all failed inputs are in the error', async () => {
  await using fanfold = await connect();
  const oddFails = defineTask({
    name: 'odd-fails',
    maxAttempts: 1,
    run(n: number) {
      if (n % 2 === 1) throw new TypeError(`odd ${n}`);
      return n;
    },
  });
  const failure = await fanfold
    .map(oddFails, [0, 1, 2, 3])
    .all()
    .catch((error: unknown) => error);
  if (!(failure instanceof FailedInputs)) throw failure;
  expect(failure).toMatchObject({
    code: 'TaskFailed',
    message: expect.stringMatching(/^2 of 4 inputs .*Input 1 failed.*odd 1/),
    results: [
      { index: 1, status: 'failed', error: { name: 'TypeError' } },
      { index: 3, status: 'failed' },
    ],
  });
  expect(failure.errors.map(({ message }) => message)).toEqual([
    expect.stringContaining('odd 1'),
    expect.stringContaining('odd 3'),
  ]);
});

it.each([
  ['map', 'retries', '`maxAttempts` of defineTask()'],
  ['map', 'concurrency', '`workers` of connect()'],
  ['connect', 'stackName', '`stack`'],
  ['defineTask', 'retries', '`maxAttempts`'],
  ['defineTask', 'timeoutSecond', '`timeoutSeconds`'],
] as const)('%s() names the right place of the option %s', async (call, option, right) => {
  const given = { [option]: 1 };
  const calls = {
    map: () => refused((fanfold, any) => fanfold.map(double, [1], any(given))),
    connect: () => connect(given).catch((error: unknown) => error),
    defineTask: () => {
      try {
        return defineTask({ name: 'other', run: () => 1, ...given });
      } catch (error) {
        return error;
      }
    },
  };
  expect(await calls[call]()).toMatchObject({
    code: call === 'defineTask' ? 'BadTask' : 'BadOption',
    message: expect.stringContaining(`no option \`${option}\`. Did you mean ${right}`),
  });
});
