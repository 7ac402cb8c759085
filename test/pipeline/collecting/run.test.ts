import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  connect,
  defineTask,
  type Fanfold,
  type FanfoldError,
  NonRetryableError,
  RunLedger,
} from '../../../src/index.ts';
import { JsonTexts } from '../../../src/internal.ts';
import { Run } from '../../../src/pipeline/collecting/run.ts';
import { findQueue } from '../../../src/pipeline/run/queues.ts';
import { openInProcess } from '../../../src/worlds/in-process.ts';
import type { World } from '../../../src/worlds/world.ts';

let fanfold: Fanfold;
beforeAll(async () => {
  fanfold = await connect({ workers: 4 });
});
afterAll(() => fanfold.close());

const double = defineTask({ name: 'double', run: (n: number) => n * 2 });
const range = (n: number) => Array.from({ length: n }, (_, index) => index);
const quick = { backoffBaseSeconds: 0 };

describe('connect', () => {
  it('refuses a number of workers for another place', async () => {
    await expect(connect({ stack: 'Photos', workers: 3 })).rejects.toMatchObject({
      code: 'BadOption',
      message:
        '`workers` is for tasks that run on this machine; `stack` uses the workers of that place. Leave one of them out.',
    });
    await expect(connect({ endpoint: 'http://127.0.0.1:1', workers: 3 })).rejects.toMatchObject({
      message: expect.stringContaining('`endpoint` uses the workers of that place.'),
    });
  });
});

describe('map', () => {
  it('refuses more inputs than a run can have', () => {
    async function* none(): AsyncGenerator<string[]> {}
    expect(() => fanfold.map(double, new JsonTexts(none(), 1_000_000_001))).toThrow(
      expect.objectContaining({
        code: 'BadInput',
        message: expect.stringContaining('at most 1000000000 inputs'),
      }),
    );
  });

  it('yields each input’s result once, with its index, whatever the order', async () => {
    const run = fanfold.map(double, range(5_000));
    const results = await Array.fromAsync(run);
    const byIndex = results.toSorted((a, b) => a.index - b.index);
    expect(byIndex.map(({ index }) => index)).toEqual(range(5_000));
    expect(byIndex.every((r) => r.status === 'ok' && r.output === r.index * 2)).toBe(true);
    expect(run.ledger).toEqual({
      inputs: 5_000,
      ok: 5_000,
      failed: 0,
      cancelled: 0,
      duplicates: 0,
      sealed: true,
    });
  });

  it('accepts iterables, async iterables and streams', async () => {
    function* some() {
      yield* [1, 2, 3];
    }
    async function* later() {
      for (const n of some()) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        yield n;
      }
    }
    const stream = ReadableStream.from([1, 2, 3]) as unknown as AsyncIterable<number>;
    for (const inputs of [new Set(some()), some(), later(), stream]) {
      expect(await Array.fromAsync(fanfold.map(double, inputs).outputs())).toEqual([2, 4, 6]);
    }
  });

  it('yields results of a slow source as they arrive, and closes it when the consumer leaves', async () => {
    await using fanfold = await connect();
    let isLetGo = false;
    async function* trickle() {
      try {
        for (let n = 0; ; n++) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          yield n;
        }
      } finally {
        isLetGo = true;
      }
    }
    let taken = 0;
    for await (const result of fanfold.map(double, trickle())) {
      expect(result.status).toBe('ok');
      if (++taken === 5) break;
    }
    await expect.poll(() => isLetGo).toBe(true);
  });

  it('starts at the call, and runs the inputs that a slow stream has yielded', async () => {
    const ran: number[] = [];
    const note = defineTask({ name: 'note', run: (n: number) => ran.push(n) });
    const more = Promise.withResolvers<void>();
    async function* inputs() {
      yield 1;
      await more.promise;
      yield 2;
    }
    const run = fanfold.map(note, inputs());
    await expect.poll(() => ran).toEqual([1]);
    more.resolve();
    expect(await Array.fromAsync(run)).toHaveLength(2);
  });

  it('yields in input order when asked to', async () => {
    const late = defineTask({
      name: 'late',
      run: (ms: number) => new Promise<number>((resolve) => setTimeout(() => resolve(ms), ms)),
    });
    const run = fanfold.map(late, [200, 0, 100, 0], { ordered: true });
    expect((await Array.fromAsync(run)).map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(await Array.fromAsync(fanfold.map(late, [50, 0, 20]).outputs())).toEqual([50, 0, 20]);
  });

  it('seeds no further than an ordered consumer’s window, though the first input is the slowest', async () => {
    const go = Promise.withResolvers<void>();
    const first = defineTask({
      name: 'first',
      run: async (n: number) => {
        if (n === 0) await go.promise;
        return n;
      },
    });
    let taken = 0;
    function* inputs() {
      for (; taken < 120_000; taken++) yield taken;
    }
    const run = fanfold.map(first, inputs(), { ordered: true });
    const results = run[Symbol.asyncIterator]();
    const begun = results.next();
    let before = -1;
    const atRest = () => {
      const rests = before === taken;
      before = taken;
      return rests;
    };
    await expect.poll(atRest, { interval: 300, timeout: 20_000 }).toBe(true);
    expect(taken).toBeLessThan(80_000);
    go.resolve();
    expect((await begun).value).toMatchObject({ index: 0 });
    let next = 1;
    for await (const { index } of results) if (index !== next++) throw new Error(`${index}`);
    expect(next).toBe(120_000);
  });

  it('ends at once over no inputs', async () => {
    const run = fanfold.map(double, []);
    expect(await Array.fromAsync(run)).toEqual([]);
    expect(run.ledger).toMatchObject({ inputs: 0, sealed: true });
  });

  it('ends at once with the error that the inputs throw', async () => {
    const mine = new Error('mine');
    function* inputs() {
      yield 1;
      throw mine;
    }
    async function* endless() {
      for (let n = 0; ; n++) {
        if (n === 50_000) throw mine;
        yield n;
      }
    }
    await expect(Array.fromAsync(fanfold.map(double, inputs()))).rejects.toBe(mine);
    await expect(Array.fromAsync(fanfold.map(double, endless()))).rejects.toBe(mine);
  });

  it('refuses an input that JSON cannot hold, and names it', async () => {
    const inputs = [1, 2, (() => 3) as unknown as number];
    await expect(Array.fromAsync(fanfold.map(double, inputs))).rejects.toMatchObject({
      code: 'BadInput',
      index: 2,
      message: expect.stringMatching(/^Input 2 is a function, .* Use /),
    });
    const rows = [{ price: 1 }, { price: Number.NaN }] as unknown as number;
    await expect(Array.fromAsync(fanfold.map(double, [1, rows]))).rejects.toMatchObject({
      code: 'BadInput',
      index: 1,
      message: expect.stringMatching(/^Input 1 has NaN at \$\[1\]\.price, .* Use null/),
    });
  });

  it('refuses an unknown task, and suggests the nearest', async () => {
    fanfold.map(double, []);
    expect(() => fanfold.map('duoble', [1])).toThrow(
      expect.objectContaining({
        code: 'UnknownTask',
        message: expect.stringContaining('Did you mean "double"?'),
      }),
    );
  });

  it('has a balanced ledger when it has ended, whatever ended it', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const waits = defineTask({ name: 'waits-long', run: () => new Promise(() => {}) });
    const run = fanfold.map(waits, [1, 2, 3], { signal });
    controller.abort(new Error('enough'));
    await expect(Array.fromAsync(run)).rejects.toThrow('enough');
    await run.ended;
    expect(run.ledger).toMatchObject({ inputs: 3, cancelled: 3, sealed: true });
  });

  it('yields the outputs of the missing inputs, in order, after earlier results', async () => {
    const earlier = new RunLedger();
    earlier.expect(2);
    earlier.enter(0, 'ok');
    earlier.enter(1, 'ok');
    const run = fanfold.map(double, [1, 2, 3, 4], { earlier });
    expect(await Array.fromAsync(run.outputs())).toEqual([6, 8]);
    expect(run.ledger).toMatchObject({ inputs: 4, ok: 4 });
    const gap = new RunLedger();
    gap.expect(4);
    gap.enter(3, 'ok');
    const gapped = fanfold.map(double, [1, 2, 3, 4], { earlier: gap });
    await expect(Array.fromAsync(gapped.outputs())).rejects.toThrow('without a gap');
    await gapped.cancel();
  });

  it.each([
    ['signal', { signal: {} as AbortSignal }],
    ['earlier', { earlier: {} as RunLedger }],
    ['resume.runId', { resume: { runId: 'mine' } }],
    ['deadlineSeconds', { deadlineSeconds: '5' as unknown as number }],
  ])('refuses a wrong `%s` before it starts', (option, options) => {
    expect(() => fanfold.map(double, [1], options)).toThrow(`\`${option}\` must be a`);
  });

  it('yields its results once', async () => {
    const run = fanfold.map(double, [1]);
    await Array.fromAsync(run);
    await expect(Array.fromAsync(run)).rejects.toThrow('can be read only once');
  });
});

describe('the outcome of an input', () => {
  it('is its own failure, whatever its function throws or returns', async () => {
    const traps: Record<string, () => unknown> = {
      unreadable() {
        throw Object.defineProperty(new Error('m'), 'message', {
          get() {
            throw 1;
          },
        });
      },
      proxy() {
        throw new Proxy(
          {},
          {
            getPrototypeOf() {
              throw new Error('no');
            },
          },
        );
      },
      thenless: () =>
        Object.defineProperty({}, 'then', {
          get() {
            throw new Error('no then');
          },
        }),
    };
    const odd = defineTask({
      name: 'odd-throws',
      maxAttempts: 2,
      backoffBaseSeconds: 0,
      run: async (trap: string) => traps[trap]?.(),
    });
    const results = await Array.fromAsync(fanfold.map(odd, Object.keys(traps), { ordered: true }));
    expect(results).toMatchObject([
      {
        error: {
          code: 'TaskFailed',
          name: 'Error',
          message: '(no message)',
        },
      },
      { error: { code: 'TaskFailed', attempts: 2 } },
      { error: { code: 'TaskFailed', message: 'no then' } },
    ]);
  });

  it('is the image in JSON of what its function returns', async () => {
    const given: Record<string, () => unknown> = {
      nothing: () => undefined,
      date: () => new Date(0),
      dropped: () => ({ kept: 1, fn() {}, gone: undefined }),
      empty: () => ({}),
      own: () => ({ toJSON: () => 'own' }),
    };
    const image = defineTask({ name: 'image', run: (kind: string) => given[kind]?.() });
    const outputs = await Array.fromAsync(fanfold.map(image, Object.keys(given)).outputs());
    expect(outputs).toEqual([null, '1970-01-01T00:00:00.000Z', { kept: 1 }, {}, 'own']);
  });

  it('is `failed` after its last attempt, without an effect on others', async () => {
    const tries = new Map<string, number>();
    const wild = defineTask({
      name: 'wild',
      maxAttempts: 2,
      timeoutSeconds: 0.2,
      ...quick,
      run(how: string, { signal }): unknown {
        tries.set(how, (tries.get(how) ?? 0) + 1);
        if (how === 'throws') throw new TypeError('thrown');
        if (how === 'rejects') return Promise.reject(new RangeError('rejected'));
        if (how === 'throws a text') throw 'text';
        if (how === 'gives up') throw new NonRetryableError('no use');
        if (how === 'bigint') return 1n;
        if (how === 'function') return () => {};
        if (how === 'circle') {
          const circle: { self?: unknown } = {};
          circle.self = circle;
          return circle;
        }
        if (how === 'too much') return 'x'.repeat(1_100_000);
        if (how === 'hangs') return new Promise(() => {});
        if (how === 'aborts') {
          return new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason)),
          );
        }
        if (how === 'second time' && tries.get(how) === 1) throw new Error('first time');
        return 'fine';
      },
    });
    const inputs = [
      'throws',
      'rejects',
      'throws a text',
      'gives up',
      'bigint',
      'function',
      'circle',
      'too much',
      'hangs',
      'aborts',
      'second time',
      'a',
      'b',
    ];
    const run = fanfold.map(wild, inputs, { ordered: true });
    const results = await Array.fromAsync(run);
    const told = results.map((result, index) => {
      if (result.status !== 'failed') return [inputs[index], result.status];
      const { code, name, attempts } = result.error;
      return [inputs[index], code, name, attempts];
    });
    expect(told).toEqual([
      ['throws', 'TaskFailed', 'TypeError', 2],
      ['rejects', 'TaskFailed', 'RangeError', 2],
      ['throws a text', 'TaskFailed', 'string', 2],
      ['gives up', 'TaskFailed', 'NonRetryableError', 1],
      ['bigint', 'OutputNotJson', 'TypeError', 2],
      ['function', 'OutputNotJson', 'TypeError', 2],
      ['circle', 'OutputNotJson', 'TypeError', 2],
      ['too much', 'ok'],
      ['hangs', 'TimedOut', 'TimeoutError', 2],
      ['aborts', 'TimedOut', 'TimeoutError', 2],
      ['second time', 'ok'],
      ['a', 'ok'],
      ['b', 'ok'],
    ]);
    expect(run.ledger).toMatchObject({ inputs: 13, ok: 4, failed: 9 });
  });

  it('is InvalidInput with the schema’s message if the schema rejects it', async () => {
    let calls = 0;
    const strict = defineTask({
      name: 'strict',
      input: z.object({ url: z.url(), times: z.number().default(2) }),
      run({ url, times }) {
        calls++;
        return url.repeat(times);
      },
    });
    const inputs = [{ url: 'http://a' }, { url: 'no' }, { url: 5 as unknown as string }];
    const [first, second, third] = await Array.fromAsync(
      fanfold.map(strict, inputs, { ordered: true }),
    );
    expect(first).toMatchObject({ status: 'ok', output: 'http://ahttp://a' });
    expect(second).toMatchObject({
      status: 'failed',
      error: { code: 'InvalidInput', message: 'url: Invalid URL', attempts: 1 },
    });
    expect(third).toMatchObject({ status: 'failed', error: { code: 'InvalidInput' } });
    expect(calls).toBe(1);
  });

  it('is computed at most `concurrency` at once in a worker', async () => {
    let running = 0;
    let most = 0;
    const crowd = defineTask({
      name: 'crowd',
      concurrency: 3,
      run: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 10));
        running--;
      },
    });
    const one = await connect({ workers: 1 });
    await Array.fromAsync(one.map(crowd, range(60)));
    await one.close();
    expect(most).toBe(3);
  });
});

describe('a run that ends early', () => {
  const forever = defineTask({
    name: 'forever',
    run: (n: number, { signal }) =>
      n < 2
        ? n
        : new Promise<number>((_, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason)),
          ),
  });

  it('is cancelled: every input that has no result ends cancelled, and its queue is gone', async () => {
    await using own = await connect({ workers: 3 });
    const run = own.map(forever, range(50));
    const statuses = new Map<number, string>();
    for await (const { index, status } of run) {
      statuses.set(index, status);
      if (statuses.size === 2) await run.cancel();
    }
    expect([...statuses.values()].filter((status) => status === 'ok')).toHaveLength(2);
    expect(statuses.size).toBe(50);
    expect(run.ledger).toMatchObject({ inputs: 50, ok: 2, cancelled: 48, sealed: true });
  });

  it('is cancelled when its consumer leaves', async () => {
    await using own = await connect({ workers: 3 });
    const run = own.map(forever, range(50));
    for await (const result of run) if (result.status === 'ok') break;
    await run.ended;
    const { ok, failed, cancelled } = run.ledger;
    expect(ok + failed + cancelled).toBe(50);
  });

  it('ends with the signal’s reason when it is aborted', async () => {
    await using own = await connect({ workers: 3 });
    const stop = new AbortController();
    const run = own.map(forever, range(50), { signal: stop.signal });
    const reason = new Error('enough');
    const taken = async () => {
      for await (const result of run) if (result.status === 'ok') stop.abort(reason);
    };
    await expect(taken()).rejects.toBe(reason);
  });

  it('throws the first failure from outputs()', async () => {
    const odd = defineTask({
      name: 'odd',
      maxAttempts: 1,
      run(n: number) {
        if (n % 2) throw new TypeError('odd');
        return n;
      },
    });
    const outputs: number[] = [];
    const take = async () => {
      for await (const output of fanfold.map(odd, range(10)).outputs()) outputs.push(output);
    };
    await expect(take()).rejects.toMatchObject({
      code: 'TaskFailed',
      message: 'Input 1 failed as TaskFailed: TypeError: odd',
    } satisfies Partial<FanfoldError>);
    expect(outputs).toEqual([0]);
  });

  it('ends with an error when the connection is closed under it', async () => {
    const own = await connect({ workers: 3 });
    const run = own.map(forever, range(5));
    const taking = Array.fromAsync(run);
    const ended = expect(taking).rejects.toMatchObject({ code: 'Closed' });
    await expect.poll(() => run.ledger.ok).toBe(2);
    await own.close();
    await ended;
    expect(() => own.map(double, [1])).toThrow('The connection was closed');
  });
});

describe('a run’s queue', () => {
  let world: World;
  beforeAll(async () => {
    world = await openInProcess(2);
    world.add(double);
  });
  afterAll(() => world.close());

  it('reports an unknown task without waiting for an idle source', {
    timeout: 5_000,
  }, async () => {
    async function* resting() {
      for (let n = 0; n < 10; n++) yield n;
      await new Promise(() => {});
    }
    const run = new Run(world.deployment, 'duoble', resting());
    await expect(Array.fromAsync(run)).rejects.toMatchObject({ code: 'UnknownTask' });
    await run.ended;
    const { inputs, cancelled, sealed } = run.ledger;
    expect({ inputs, sealed }).toEqual({ inputs: cancelled, sealed: true });
  });

  it('is made by the seed, and deleted when the run is over', async () => {
    const { sqs, names } = world.deployment;
    const run = new Run(world.deployment, 'double', range(100));
    await expect.poll(() => findQueue(sqs, names.run(run.runId))).toBeDefined();
    await Array.fromAsync(run);
    expect(await findQueue(sqs, names.run(run.runId))).toBeUndefined();
  });

  it('may deliver duplicate, foreign and nonsense results: each index counts once', async () => {
    const { sqs, names } = world.deployment;
    const gate = Promise.withResolvers<void>();
    const slow = defineTask({ name: 'slow', run: async (n: number) => (n > 0 ? gate.promise : n) });
    world.add(slow);
    const run = new Run<number>(world.deployment, 'slow', [0, 1]);
    const results = run[Symbol.asyncIterator]();
    expect((await results.next()).value).toMatchObject({ index: 0, status: 'ok' });
    const QueueUrl = await findQueue(sqs, names.run(run.runId));
    const again = { v: 1, runId: run.runId, worker: 'other' };
    for (const MessageBody of [
      JSON.stringify({ ...again, results: [{ index: 0, status: 'ok', output: 9, ms: 1 }] }),
      JSON.stringify({ ...again, results: [{ index: 7, status: 'ok', output: 9, ms: 1 }] }),
      'nonsense',
    ]) {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    }
    const last = results.next();
    await expect.poll(() => run.ledger.duplicates).toBe(1);
    gate.resolve();
    expect((await last).value).toMatchObject({ index: 1 });
    expect((await results.next()).done).toBe(true);
    expect(run.ledger).toMatchObject({ inputs: 2, ok: 2, duplicates: 1 });
  });
});
