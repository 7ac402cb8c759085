import { expect, it, vi } from 'vitest';
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
