import { describe, expect, it, vi } from 'vitest';
import { connect, defineTask, FailedInputs } from '../src/index.ts';

const double = defineTask({ name: 'double', run: (n: number) => n * 2 });

function* counted() {
  yield 1;
}

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

it('a concurrency that the workers do not reach is warned of, once and unless it is known', async () => {
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  await using fanfold = await connect({ workers: 2, onWarning });
  await fanfold.map(double, [1], { concurrency: 2 }).all();
  for (let run = 0; run < 2; run++) await fanfold.map(double, [1], { concurrency: 9 }).all();
  await using asking = await connect({ workers: 2, onWarning });
  const half = defineTask({ name: 'half', run: (n: number) => n / 2 });
  await asking.map(half, [1]).all();
  expect(await asking.capacity('half')).toBe(2);
  await asking.map(half, [1], { concurrency: 9 }).all();
  expect(warnings).toEqual([expect.stringMatching(/concurrency: 9. is not .* 2 inputs of double/)]);
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

describe('runs on this machine, metered as if on a stack', () => {
  const late = defineTask({
    name: 'late',
    run: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms)),
  });
  const asIf = { memorySize: 512, architecture: 'arm64', region: 'eu-central-1' } as const;
  const shipped = { tasks: new URL('../functions/tasks/index.ts', import.meta.url) };

  it.each([
    ['this process', {}, late, 50],
    ['worker processes', shipped, 'sleep', { seconds: 0.05 }],
  ])('in %s', async (_, place, task, input) => {
    await using fanfold = await connect({ ...place, workers: 2, asIf });
    const inputs = Array.from({ length: 20 }, () => input as number);
    const run = fanfold.map(task, inputs);
    expect(await run.all()).toHaveLength(20);
    const { counted, region, usd } = run.cost ?? expect.fail();
    expect(region).toBe('eu-central-1');
    // 20 times 50 ms with half a GB, and the seed.
    expect(counted.gbSeconds.x86_64).toBe(0);
    expect(counted.gbSeconds.arm64).toBeGreaterThanOrEqual(0.49);
    expect(counted.invocations).toBeGreaterThan(2);
    expect(counted.invocations).toBeLessThanOrEqual(21);
    expect(counted.sqs.fair).toBeGreaterThan(2);
    expect(usd).toBeGreaterThan(0.49 * 0.0000133);
  });

  it('at the prices that are given, of a region that is known', async () => {
    const region = 'mars-north-1';
    await using unknown = await connect({ asIf: { region } });
    expect(() => unknown.map(late, [1], { maxCost: 5 })).toThrow('the prices of mars-north-1');
    const none = await unknown.map(late, [1]);
    await none.all();
    expect(none.cost).toMatchObject({ usd: undefined, region });
    const prices = { '*': { lambda: { gbSecond: { arm64: 100 } } } };
    await using dear = await connect({ asIf, prices, workers: 1 });
    const run = dear.map(late, [20]);
    await run.all();
    expect(run.cost?.usd).toBeGreaterThan(1);
  });

  it('costs nothing without that', async () => {
    await using fanfold = await connect();
    const run = fanfold.map(late, [1]);
    await run.all();
    expect(run.cost).toBeUndefined();
    expect(() => fanfold.map(late, [1], { maxCost: 5 })).toThrow('`asIf`');
    await expect(connect({ asIf, stack: 'Photos' })).rejects.toThrow('on this machine');
    await expect(connect({ prices: {} })).rejects.toThrow('`stack` or `asIf`');
  });
});
