import { expect, it } from 'vitest';
import { connect, defineTask, type Fanfold, FanfoldError, type RunOptions } from '../src/index.ts';

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
  ['a number for a task', 'BadTask', /defineTask\(\).*; 5 came/, 5, [1]],
  ['the name of no task', 'UnknownTask', /"text".*Give map\(\) the task/, 'text', [1]],
  ['no task', 'BadTask', /; undefined came/, undefined, [1]],
  ['a function for a task', 'BadTask', /; a function/, () => 1, [1]],
  ['what is like a task', 'BadTask', /; an object came/, { name: 'a', run: () => 1 }, [1]],
  ['no inputs', 'BadInput', /an array.*; undefined came/, double, undefined],
  ['null for inputs', 'BadInput', /; null came/, double, null],
  ['an object for inputs', 'BadInput', /; an object came/, double, {}],
  ['a text for inputs', 'BadInput', /character.*array/, double, 'text'],
  ['a number for inputs', 'BadInput', /; 5 came/, double, 5],
  ['a Promise for inputs', 'BadInput', /a Promise.*awaited/, double, Promise.resolve([1])],
  ['a generator function', 'BadInput', /a function, which is not called/, double, counted],
] as const)('%s is refused at once', async (_, code, message, task, inputs) => {
  expect(await refused((fanfold, any) => fanfold.map(any(task), any(inputs)))).toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

it.each([
  ['misspelt', { orderd: true }, /no option `orderd`.*`ordered`/],
  ['of another kind', { ordered: 'yes' }, /`ordered` is true or false; the text "yes" came/],
  ['a signal that is none', { signal: new AbortController() }, /`signal` is an AbortSignal/],
  ['a deadline that is none', { deadlineSeconds: '5' }, /`deadlineSeconds`/],
  ['a budget that is none', { maxFailures: 'some' }, /`maxFailures`/],
  ['a record of another run', { resume: 'run' }, /`resume` is an object/],
  ['none', 5, /options as an object; 5 came/],
])('options of map() that are %s are refused at once', async (_, options, message) => {
  expect(await refused((fanfold) => fanfold.map(double, [1], options as RunOptions))).toMatchObject(
    { code: 'BadOption', message: expect.stringMatching(message) },
  );
});

it.each([
  [{ worker: 2 }, /no option `worker`.*`workers`/],
  [{ tasks: 5 }, /`tasks` is a URL or a path; 5 came/],
  [{ stack: ['a'] }, /`stack` is a text; an array came/],
  [null, /options as an object; null came/],
])('options %o of connect() are refused', async (options, message) => {
  await expect(connect(options as object)).rejects.toMatchObject({
    code: 'BadOption',
    message: expect.stringMatching(message),
  });
});

it('inputs of every kind that gives some are taken', async () => {
  await using fanfold = await connect();
  const kinds = [[1], new Set([1]), counted(), ReadableStream.from([1])];
  for (const inputs of kinds as Iterable<number>[]) {
    expect(
      await Array.fromAsync(fanfold.map(double, inputs, { signal: undefined } as object).outputs()),
    ).toEqual([2]);
  }
});
