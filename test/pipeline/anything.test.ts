import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  connect,
  defineTask,
  type FailedResult,
  type Fanfold,
  type Result,
  type Task,
  withCauses,
} from '../../src/index.ts';
import { JsonTexts } from '../../src/internal.ts';

let fanfold: Fanfold;
beforeAll(async () => {
  fanfold = await connect({ workers: 1 });
});
afterAll(() => fanfold.close());

/** Retried at once, with a concurrency that puts all of a test's inputs into one chunk. */
const options = { concurrency: 20, maxAttempts: 2, backoffBaseSeconds: 0 };

async function resultsOf<I>(task: Task<I, unknown>, inputs: Iterable<I> | JsonTexts) {
  const results: Result<unknown>[] = [];
  for await (const result of fanfold.map(task, inputs as Iterable<I>)) results.push(result);
  return results.sort((one, other) => one.index - other.index);
}

/** One input for each case, by its name, with harmless ones around them. */
async function endings(name: string, cases: Record<string, () => unknown>) {
  const names = Object.keys(cases);
  const inputs = ['innocent', ...names, 'innocent'];
  const task = defineTask({
    name,
    ...options,
    run: (input: string) => (input === 'innocent' ? 'ok' : cases[input]?.()),
  });
  const results = await resultsOf(task, inputs);
  expect([results[0], results.at(-1)]).toMatchObject([{ output: 'ok' }, { output: 'ok' }]);
  return Object.fromEntries(names.map((one, at) => [one, results[at + 1]]));
}

function nested(levels: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe('a deeply nested input', () => {
  it('is retried unchanged, and its chunk completes', async () => {
    const levels = [1_000, 10_000, 100_000, 400_000];
    const texts = ['"innocent"', ...levels.map((n) => `${'['.repeat(n)}1${']'.repeat(n)}`), '-0'];
    const task = defineTask({
      name: 'deep',
      ...options,
      run(input: unknown, { attempt }) {
        if (attempt === 1) throw new Error('once');
        let depth = 0;
        for (let inner = input; Array.isArray(inner); inner = inner[0]) depth++;
        return depth;
      },
    });
    const texted = new JsonTexts(
      (async function* () {
        yield texts;
      })(),
    );
    const outputs = (await resultsOf(task, texted)).map((result) => Object(result).output);
    expect(outputs).toEqual([0, ...levels, 0]);
  });

  it('is refused with a sentence if it cannot be JSON text', async () => {
    const task = defineTask({ name: 'refused', run: (input: unknown) => input });
    await expect(resultsOf(task, [1, nested(20_000)])).rejects.toMatchObject({
      code: 'BadInput',
      message: expect.stringContaining('nested too deep'),
    });
  });
});

it('an output of any kind affects only its own input', async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const ended = await endings('outputs', {
    deep: () => nested(50_000),
    flat: () => nested(1_000),
    circle: () => circle,
    bigint: () => 1n,
    symbol: () => Symbol('s'),
    nothing: () => undefined,
    minusZero: () => -0,
    surrogate: () => '\ud800',
    huge: () => 'x'.repeat(2_000_000),
    toJson: () => ({
      toJSON() {
        throw new Error('no JSON');
      },
    }),
    noJson: () => ({ toJSON: () => undefined }),
    getter: () => ({
      get field() {
        throw null;
      },
    }),
    revoked: () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
    thenable: () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is what is tried here.
      get then() {
        throw new Error('no promise');
      },
    }),
  });
  const failed = (code: string, text: string) => ({
    status: 'failed',
    error: { code, message: expect.stringContaining(text), attempts: 2 },
  });
  expect(ended).toMatchObject({
    deep: failed('OutputNotJson', 'nested too deep'),
    flat: { status: 'ok' },
    circle: failed('OutputNotJson', 'circular'),
    bigint: failed('OutputNotJson', 'BigInt'),
    symbol: failed('OutputNotJson', 'symbol'),
    nothing: { output: null },
    minusZero: { output: 0 },
    surrogate: { output: '\ud800' },
    huge: { status: 'ok' },
    toJson: failed('OutputNotJson', 'no JSON'),
    noJson: failed('OutputNotJson', '`toJSON` returns nothing'),
    getter: failed('OutputNotJson', 'null'),
    revoked: failed('TaskFailed', 'revoked'),
    thenable: failed('TaskFailed', 'no promise'),
  });
});

it('any thrown value fails only its own input, and is reported as it is', async () => {
  const thrower = (value: () => unknown) => () => {
    throw value();
  };
  const throwing = {
    get() {
      throw new Error('from a getter');
    },
  };
  const hostile = () =>
    Object.defineProperties(new Error('hidden'), {
      message: throwing,
      name: throwing,
      stack: throwing,
      cause: throwing,
    });
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable(new Error('gone'), {});
    revoke();
    return proxy;
  };
  const ended = await endings('throws', {
    null: thrower(() => null),
    undefined: thrower(() => undefined),
    text: thrower(() => 'a text'),
    object: thrower(() => ({ status: 503, body: { reason: 'busy' } })),
    frozen: thrower(() => Object.freeze(new Error('frozen'))),
    function: thrower(() => function named() {}),
    symbol: thrower(() => Symbol('sign')),
    hostile: thrower(hostile),
    revoked: thrower(revoked),
    bare: thrower(() => Object.create(null)),
    otherRealm: thrower(() => runInContext('new TypeError("abroad")', createContext())),
    long: thrower(() => new Error('é\u0000'.repeat(1_000_000))),
    rejected: () => Promise.reject(new RangeError('later')),
    noText: thrower(() => Object.assign(new Error(), { message: Symbol('m'), name: 7 })),
  });
  const failed = (name: string, message: unknown) => ({
    status: 'failed',
    error: { code: 'TaskFailed', name, message, attempts: 2 },
  });
  const text = (part: string) => expect.stringContaining(part);
  expect(ended).toMatchObject({
    null: failed('object', 'null'),
    undefined: failed('undefined', 'undefined'),
    text: failed('string', 'a text'),
    object: failed('object', "{ status: 503, body: { reason: 'busy' } }"),
    frozen: failed('Error', 'frozen'),
    function: failed('function', text('named')),
    symbol: failed('symbol', 'Symbol(sign)'),
    hostile: failed('Error', '(no message)'),
    revoked: failed('object', text('Revoked')),
    bare: failed('object', text('{}')),
    otherRealm: failed('TypeError', 'abroad'),
    long: failed('Error', text('(2000000 characters)')),
    rejected: failed('RangeError', 'later'),
    noText: failed('7', 'Symbol(m)'),
  });
});

describe('a failure', () => {
  it('has the frames of the user, the causes, and the errors of an AggregateError', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
      ...{ code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address: '127.0.0.1', port: 1 },
    });
    const circular = new Error('outer');
    circular.cause = new Error('inner', { cause: circular });
    const ended = await endings('causes', {
      fetch: () => fetch('http://127.0.0.1:1/'),
      any: () => Promise.any([Promise.reject(refused), Promise.reject(new Error('other'))]),
      own: () => {
        throw Object.assign(new Error('of a database'), { code: '23505' });
      },
      circular: () => Promise.reject(circular),
    });
    expect(ended).toMatchObject({
      fetch: { error: { message: 'fetch failed', cause: { message: expect.any(String) } } },
      any: {
        error: {
          name: 'AggregateError',
          errors: [
            { name: 'Error', code: 'ECONNREFUSED', errno: -111, port: 1 },
            { name: 'Error', message: 'other' },
          ],
        },
      },
      own: { error: { code: 'TaskFailed', errorCode: '23505' } },
      circular: { error: { message: 'outer', cause: { message: 'inner' } } },
    });
    const { stack } = (ended.own as { error: { stack: string } }).error;
    expect(stack).toMatch(/^Error: of a database\n +at .*anything\.test\.ts:\d+:\d+/);
    expect(stack).not.toMatch(/node:|src\/pipeline/);
    expect(JSON.stringify(ended.circular).match(/inner/g)).toHaveLength(2);
  });

  it('has the own fields of an error, and counts the errors that it leaves out', async () => {
    const ended = await endings('fields', {
      http: () => {
        const fields = { status: 429, body: { retry: [1] }, code: 'E' };
        throw Object.assign(new Error('busy'), fields);
      },
      many: () =>
        Promise.any(Array.from({ length: 9 }, (_, n) => Promise.reject(new Error(`${n}`)))),
      empty: () => Promise.reject(new Error()),
      large: () => Promise.reject(Object.assign(new Error('x'), { text: 'y'.repeat(100_000) })),
      hostile: () =>
        Promise.reject(
          Object.defineProperty(new Error('z'), 'bad', {
            enumerable: true,
            get() {
              throw new Error('getter');
            },
          }),
        ),
    });
    expect(ended).toMatchObject({
      http: { error: { errorCode: 'E', fields: '{ status: 429, body: { retry: [ 1 ] } }' } },
      many: { error: { errors: { length: 5 }, moreErrors: 4 } },
      empty: { error: { name: 'Error', message: '(no message)' } },
      hostile: { error: { message: 'z' } },
    });
    expect(withCauses((ended.many as FailedResult).error)).toContain('4; and 4 more');
    const { fields } = (ended.large as { error: { fields: string } }).error;
    expect(fields.length).toBeLessThan(1_100);
  });

  it('is bounded, however much it holds', async () => {
    const { endless } = await endings('bounded', {
      endless() {
        let error = new Error('é'.repeat(50_000));
        for (let n = 0; n < 100; n++) {
          const many = Array.from({ length: 50 }, () => new Error('\u0001'.repeat(50_000)));
          error = new AggregateError(many, 'x'.repeat(50_000), { cause: error });
        }
        throw error;
      },
    });
    expect(endless).toMatchObject({ status: 'failed', error: { name: 'AggregateError' } });
    expect(Buffer.byteLength(JSON.stringify(endless))).toBeLessThan(200_000);
  });

  it('is thrown with its causes by outputs()', async () => {
    const task = defineTask({
      name: 'told',
      maxAttempts: 1,
      run: () => Promise.reject(new Error('fetch failed', { cause: new Error('refused: 1') })),
    });
    await expect(Array.fromAsync(fanfold.map(task, [1]).outputs())).rejects.toMatchObject({
      code: 'TaskFailed',
      message: expect.stringContaining('Error: fetch failed: refused: 1'),
      cause: { code: 'TaskFailed', cause: { message: 'refused: 1' } },
    });
  });
});

it('a schema that throws, rejects or returns anything affects only its own input', async () => {
  const cases: Record<string, () => unknown> = {
    innocent: () => ({ value: 1 }),
    later: () => Promise.resolve({ value: 2 }),
    throws: () => {
      throw new Error('thrown');
    },
    rejects: () => Promise.reject(new Error('no database')),
    undefined: () => undefined,
    laterUndefined: () => Promise.resolve(undefined),
    neither: () => ({}),
    issues: () => ({ issues: 'many' }),
    oddIssues: () => ({ issues: [null, { message: 7 }, { message: 'm', path: ['a', 0] }] }),
    noIssues: () => Promise.resolve({ issues: [] }),
  };
  const task = defineTask({
    name: 'schemas',
    ...options,
    input: {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (name) => cases[String(name)]?.() as never,
      },
    },
    run: (input) => input,
  });
  const results = await resultsOf(task, Object.keys(cases));
  const invalid = (text: string) => ({
    error: { code: 'InvalidInput', message: expect.stringContaining(text), attempts: 1 },
  });
  const threw = (message: string) => ({ error: { code: 'TaskFailed', message, attempts: 2 } });
  expect(results).toMatchObject([
    { output: 1 },
    { output: 2 },
    threw('thrown'),
    threw('no database'),
    invalid('it returned undefined'),
    invalid('it returned undefined'),
    invalid('it returned {}'),
    invalid("it returned { issues: 'many' }"),
    invalid('null; { message: 7 }; a.0: m'),
    invalid('gives no reason'),
  ]);
});
