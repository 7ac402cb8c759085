import { expect, it } from 'vitest';
import { connect } from '../../src/connect.ts';
import { defineTask } from '../../src/task.ts';

/** A task whose first run over one input takes far longer than the others. */
function stuckOnce(idempotent: boolean) {
  const calls: number[] = [];
  const task = defineTask({
    ...{ name: 'stuck', idempotent },
    async run(n: number, { signal }) {
      calls.push(n);
      const isStuck = n === 7 && calls.filter((one) => one === 7).length === 1;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, isStuck ? 50_000 : 10);
      signal.addEventListener('abort', () => resolve());
      await promise;
      clearTimeout(timer);
      return n;
    },
  });
  return { task, calls };
}

const inputs = Array.from({ length: 60 }, (_, n) => n);

it('runs an input that holds up the end of a run a second time', async () => {
  const { task, calls } = stuckOnce(true);
  await using fanfold = await connect({ workers: 3 });
  const begun = performance.now();
  expect(await fanfold.map(task, inputs, { hedge: true }).all()).toEqual(inputs);
  expect(performance.now() - begun).toBeLessThan(20_000);
  expect(calls.toSorted((one, other) => one - other)).toEqual(
    [...inputs, 7].toSorted((one, other) => one - other),
  );
});

it('refuses to hedge a task that is not idempotent', async () => {
  const { task, calls } = stuckOnce(false);
  await using fanfold = await connect();
  const run = fanfold.map(task, inputs, { hedge: true });
  await expect(run.all()).rejects.toThrow('`idempotent: true`');
  expect(calls).toEqual([]);
});
