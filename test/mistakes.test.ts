// Typical mistakes of a first hour in code, and what the errors must say. Types refuse most of them,
// but JavaScript has no types. Those at the command line are in test/cli/mistakes.test.ts; those in
// a task's own code, in test/cli/mistakes-at-work.test.ts.
import { describe, expect, it } from 'vitest';
import {
  connect,
  defineTask,
  diagnose,
  type Fanfold,
  FanfoldError,
  serve,
  work,
} from '../src/index.ts';
import { meant } from '../src/option-homes.ts';

const double = defineTask({ name: 'double', run: (n: number) => n * 2 });
const tasks = new URL('./fixtures/tasks.ts', import.meta.url);
function* counted() {
  yield 1;
}

/** Passes a value where no type allows it. */
const any = (value: unknown) => value as never;
const define = (definition: unknown) => () => defineTask(any(definition));
/** A call of `map` on a connection to this process. */
const map = (task: unknown, inputs: unknown, options?: unknown) => async () => {
  await using fanfold = await connect();
  fanfold.map(any(task), any(inputs), any(options));
};
const mapped = (options: unknown) => map(double, [1], options);
const setting = (changes: unknown) => async () => {
  await using fanfold = await connect();
  await fanfold.map(double, [1]).set(any(changes));
};

const calling = (call: (fanfold: Fanfold) => unknown) => async () => {
  await using fanfold = await connect();
  await call(fanfold);
};

type Row = [mistake: string, call: () => unknown, code: string, ...phrases: (string | RegExp)[]];

const PLACES: Row[] = [
  [
    'connect without await',
    () => Object(connect()).map(double, [1]),
    'BadOption',
    'await connect()',
  ],
  [
    'the name of a stack alone',
    () => connect(any('Photos')),
    'BadOption',
    'an object with options',
    '"Photos"',
  ],
  ['no options', () => connect(any(null)), 'BadOption', 'an object with options; got null'],
  [
    'the CDK’s stackName',
    () => connect(any({ stackName: 'a' })),
    'BadOption',
    'no option `stackName`. Did you mean `stack`?',
  ],
  [
    'p-map’s concurrency',
    () => connect(any({ concurrency: 4 })),
    'BadOption',
    'Did you mean `workers`, or `concurrency` of defineTask()?',
  ],
  [
    'a misspelt option',
    () => connect(any({ worker: 2 })),
    'BadOption',
    /no option `worker`.*`workers`/,
  ],
  [
    'a module of another kind',
    () => connect(any({ tasks: 5 })),
    'BadOption',
    '`tasks` must be a URL or a path; got 5',
  ],
  [
    'two stacks',
    () => connect(any({ stack: ['a'] })),
    'BadOption',
    '`stack` must be a string; got an array',
  ],
  [
    'two places',
    () => connect({ stack: 'a', endpoint: 'http://b' }),
    'BadOption',
    'give only one of these',
  ],
  [
    'workers as text',
    () => connect(any({ workers: '4' })),
    'BadOption',
    '`workers` must be a whole number from 1 to 1000; got "4"',
  ],
  [
    'a module that is not there',
    () => connect({ tasks: './fixtures/nowhere.ts' }),
    'BadTask',
    'nowhere.ts does not exist',
  ],
  [
    'a server with p-map’s option',
    () => serve(any({ tasks, concurrency: 4 })),
    'BadOption',
    'serve() has no option `concurrency`',
    '`workers`, or `concurrency` of defineTask()',
  ],
  [
    'a server with a secret',
    () => serve(any({ tasks, secret: 'a' })),
    'BadOption',
    'Did you mean `credentials`?',
  ],
  [
    'a server with an option of workers',
    () => serve(any({ tasks, untilEmpty: true })),
    'BadOption',
    '`untilEmpty` of work()',
  ],
  [
    'a server without tasks',
    () => serve(any({ port: 0 })),
    'BadOption',
    'serve() needs `tasks`: a URL or a path',
  ],
  [
    'a server of a port alone',
    () => serve(any(9324)),
    'BadOption',
    'serve() expects an object with options; got 9324',
  ],
  [
    'workers with an option of a server',
    () => work(any({ tasks, data: 'a' })),
    'BadOption',
    'work() has no option `data`',
    '`data` of serve()',
  ],
  [
    'workers with attempts',
    () => work(any({ tasks, retries: 3 })),
    'BadOption',
    '`maxAttempts` of defineTask()',
  ],
  [
    'workers with a stack’s name',
    () => work(any({ tasks, stackName: 'a' })),
    'BadOption',
    'Did you mean `stack`?',
  ],
  [
    'workers without tasks',
    () => work(any({ stack: 'Photos' })),
    'BadOption',
    'work() needs `tasks`',
  ],
  [
    'a diagnosis of a stack’s name',
    () => diagnose(any({ stackName: 'a' })),
    'BadOption',
    'Did you mean `stack`?',
  ],
];

const DEFINITIONS: Row[] = [
  [
    'Celery’s order',
    () => Reflect.apply(defineTask, undefined, ['double', () => 1]),
    'BadTask',
    'an object with options',
    '"double"',
  ],
  ['a bare function', define(() => 1), 'BadTask', 'an object with options; got a function'],
  ['no name', define({ run: () => 1 }), 'BadTask', 'name must be 1 to 80 letters'],
  ['a name with spaces', define({ name: 'my task', run: () => 1 }), 'BadTask', 'got "my task"'],
  ['no function', define({ name: 'a' }), 'BadTask', '`run` must be a function; got undefined'],
  [
    'BullMQ’s processor',
    define({ name: 'a', processor: () => 1 }),
    'BadTask',
    'Did you mean `run`?',
  ],
  [
    'p-map’s retries',
    define({ name: 'a', run: () => 1, retries: 2 }),
    'BadTask',
    'Did you mean `maxAttempts`?',
  ],
  [
    'Celery’s time_limit',
    define({ name: 'a', run: () => 1, time_limit: 2 }),
    'BadTask',
    'Did you mean `timeoutSeconds`?',
  ],
  [
    'a misspelt option',
    define({ name: 'a', run: () => 1, timeoutSecond: 2 }),
    'BadTask',
    'Did you mean `timeoutSeconds`?',
  ],
  [
    'workers of a connection',
    define({ name: 'a', run: () => 1, workers: 2 }),
    'BadTask',
    '`workers` of connect()',
  ],
  [
    'no attempts',
    define({ name: 'a', run: () => 1, maxAttempts: 0 }),
    'BadTask',
    'a whole number from 1 to 100; got 0',
  ],
  [
    'a schema that is none',
    define({ name: 'a', run: () => 1, input: { url: 'string' } }),
    'BadTask',
    'must be a Standard Schema',
    'zod',
  ],
];

const CALLS: Row[] = [
  ['p-map’s order', map([1], (n: number) => n), 'BadTask', 'map(task, inputs)'],
  ['the order of its inputs, with a task', map(counted(), double), 'BadTask', 'map(task, inputs)'],
  ['a number for a task', map(5, [1]), 'BadTask', /defineTask\(\).*; got 5/],
  ['the name of no task', map('text', [1]), 'UnknownTask', /"text".*Pass the task itself/],
  ['no task', map(undefined, [1]), 'BadTask', '; got undefined'],
  ['an object like a task', map({ name: 'a', run: () => 1 }, [1]), 'BadTask', '; got an object'],
  ['a function that was called', map(Promise.resolve(1), [1]), 'BadTask', 'a Promise: await it'],
  ['a function, for processes', mapElsewhere, 'BadTask', 'export const half = defineTask('],
  ['no inputs', map(double, undefined), 'BadInput', /an array.*; got undefined/],
  ['null for inputs', map(double, null), 'BadInput', '; got null'],
  ['an object for inputs', map(double, {}), 'BadInput', '; got an object'],
  ['a text for inputs', map(double, 'text'), 'BadInput', /character.*array/],
  ['a number for inputs', map(double, 5), 'BadInput', '; got 5'],
  ['inputs without await', map(double, Promise.resolve([1])), 'BadInput', 'a Promise: await it'],
  ['a generator function', map(double, counted), 'BadInput', 'a function: call it'],
  [
    'an input that is undefined',
    allOf([undefined]),
    'BadInput',
    'Input 0 is undefined',
    'Use null',
  ],
  [
    'p-map’s concurrency, without a bound',
    mapped({ concurrency: Number.POSITIVE_INFINITY }),
    'BadOption',
    '`concurrency` must be a whole number from 1',
  ],
  [
    'a share of failures that is a number',
    mapped({ pauseWhenFailing: 0.5 }),
    'BadOption',
    '`pauseWhenFailing` must be a share of inputs and a time, like "50%/1m"',
    'got 0.5',
  ],
  ['a share without a time', mapped({ pauseWhenFailing: '50%' }), 'BadOption', 'like "50%/1m"'],
  [
    'a misspelt limit',
    mapped({ pauseOnFailing: '50%/1m' }),
    'BadOption',
    'Did you mean `pauseWhenFailing`?',
  ],
  [
    'a concurrency that was computed wrongly',
    mapped({ concurrency: Number.NaN }),
    'BadOption',
    'got NaN',
  ],
  ['a bigint', mapped({ concurrency: 5n }), 'BadOption', 'got 5n'],
  ['a rate in an array', mapped({ rate: ['1/s'] }), 'BadOption', 'got ["1/s"]'],
  [
    'an option of pause',
    calling((fanfold) => fanfold.pause('run', any({ force: true }))),
    'BadOption',
    'pause() has no option `force`. It has no options.',
  ],
  [
    'an option of cancel',
    calling((fanfold) => fanfold.cancel('run', any({ force: true }))),
    'BadOption',
    'cancel() has no option `force`',
  ],
  [
    'an option of unpause',
    calling((fanfold) => fanfold.unpause('run', any({ extend: true }))),
    'BadOption',
    'unpause() has no option `extend`',
    'extendDeadline',
  ],
  [
    'an option of prune',
    calling((fanfold) => fanfold.prune(any({ force: true }))),
    'BadOption',
    'prune() has no option `force`. Its options are all.',
  ],
  [
    'an option of stored',
    calling((fanfold) => fanfold.stored('run', any({ order: true }))),
    'BadOption',
    'stored() has no option `order`',
  ],
  ['a number for a task', calling((fanfold) => fanfold.capacity(any(5))), 'BadTask', 'got 5'],
  [
    'an option of nothing else',
    setting({ foo: 1 }),
    'BadOption',
    'no option `foo`. Its options are',
  ],
  ['a limiter’s rate', mapped({ rate: 100 }), 'BadOption', 'must be like "100/s"'],
  [
    'p-map’s stopOnError',
    mapped({ stopOnError: true }),
    'BadOption',
    'Did you mean `maxFailures`?',
  ],
  ['retries', mapped({ retries: 3 }), 'BadOption', '`maxAttempts` of defineTask()'],
  ['a time limit', mapped({ timeout: 3 }), 'BadOption', '`timeoutSeconds` of defineTask()'],
  ['a stack', mapped({ stackName: 'Photos' }), 'BadOption', '`stack` of connect()'],
  ['a misspelt option', mapped({ orderd: true }), 'BadOption', /no option `orderd`.*`ordered`/],
  [
    'a text for a flag',
    mapped({ ordered: 'yes' }),
    'BadOption',
    '`ordered` must be true or false; got the string "yes"',
  ],
  [
    'a controller for its signal',
    mapped({ signal: new AbortController() }),
    'BadOption',
    '`signal` must be an AbortSignal',
  ],
  ['a text for a deadline', mapped({ deadlineSeconds: '5' }), 'BadOption', '`deadlineSeconds`'],
  ['a text for a budget', mapped({ maxFailures: 'some' }), 'BadOption', '`maxFailures`'],
  ['a run’s id to resume', mapped({ resume: 'run' }), 'BadOption', '`resume` must be an object'],
  ['a number for options', mapped(5), 'BadOption', 'an object with options; got 5'],
  [
    'an option of map for collect',
    collected,
    'BadOption',
    'collect() has no option `maxFailures`',
    '`maxFailures` of map()',
  ],
];

async function mapElsewhere() {
  await using fanfold = await connect({ tasks, workers: 1 });
  const half = (n: number) => n / 2;
  fanfold.map(half, [1]);
}

function allOf(inputs: unknown[]) {
  return async () => {
    await using fanfold = await connect();
    await fanfold.map(double, any(inputs)).all();
  };
}

async function collected() {
  await using fanfold = await connect();
  await fanfold.collect(double, 'any', any({ maxFailures: 1 }));
}

const all = { PLACES, DEFINITIONS, CALLS };
describe.each(Object.entries(all))('a code and a sentence: %s', (_, rows) => {
  it.each(rows)('%s', async (_, call, code, ...phrases) => {
    const error = await (async () => call())().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof FanfoldError)) throw error ?? new Error('It was not refused.');
    expect(error.code).toBe(code);
    for (const phrase of phrases) {
      if (phrase instanceof RegExp) expect(error.message).toMatch(phrase);
      else expect(error.message).toContain(phrase);
    }
  });
});

it.each([
  ['max_retries', [], '`maxAttempts` of defineTask()'],
  ['backoff', [], '`backoffBaseSeconds` of defineTask(), or `backoffCapSeconds` of defineTask()'],
  ['concurrency', ['concurrency'], '`concurrency`, or `workers` of connect()'],
  ['untilempty', [], '`untilEmpty` of work()'],
  ['stakc', ['all'], '`stack` of connect()'],
  ['somethingElseEntirely', ['all'], undefined],
])('an option %s of a call with %j means %s', (name, here, places) => {
  expect(meant(name, here)).toBe(places);
});
