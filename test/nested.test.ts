import { expect, it } from 'vitest';
import { connect, defineTask, serve } from '../src/index.ts';
import { placeName, workFor } from '../src/nested.ts';

const double = defineTask({ name: 'double', run: (input: number) => input * 2 });

it('a task maps on its own connection, though all workers have such a task', async () => {
  await using fanfold = await connect({ workers: 2 });
  let running = 0;
  let most = 0;
  const outer = defineTask({
    name: 'outer',
    timeoutSeconds: 120,
    async run(input: number) {
      most = Math.max(most, ++running);
      const doubled = await Array.fromAsync(fanfold.map(double, [input, input + 1]).outputs());
      running--;
      return doubled;
    },
  });
  const inputs = Array.from({ length: 30 }, (_, n) => n);
  const outputs = await Array.fromAsync(fanfold.map(outer, inputs).outputs());
  expect(outputs).toEqual(inputs.map((n) => [2 * n, 2 * n + 2]));
  // Workers that are lent are given back.
  expect(most).toBeLessThan(30);
  running = 0;
  most = 0;
  const counted = defineTask({
    name: 'counted',
    async run() {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
    },
  });
  await Array.fromAsync(fanfold.map(counted, inputs));
  expect(most).toBeLessThanOrEqual(2);
});

it('a task of a server is refused a run on that server, and not on another place', async () => {
  await using server = await serve({ memory: true, port: 0, tasks: 'functions/tasks/index.ts' });
  await using there = await connect({ endpoint: server.url });
  await using here = await connect({ workers: 1 });
  const inTask = <T>(work: () => T) => workFor(placeName({ endpoint: server.url }), work);
  expect(() => inTask(() => there.map('echo', [1]))).toThrow(
    expect.objectContaining({
      code: 'NestedRun',
      message: expect.stringMatching(/where it runs itself \(http.*await connect\(\)/),
    }),
  );
  const outputs = inTask(() => here.map(double, [1]).outputs());
  expect(await Array.fromAsync(outputs)).toEqual([2]);
  expect(there.map('echo', []).runId).toMatch(/\w/);
});
