// @module-tag more
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CalmRun } from './calm-run.ts';
import { node } from './simulation.ts';

/** Simulates runs in which nothing goes wrong. Returns how long each takes, in seconds. */
async function secondsOf(...runs: CalmRun[]): Promise<number[]> {
  const { text, failed } = await node([join(import.meta.dirname, 'calm.ts'), JSON.stringify(runs)]);
  expect(failed, text).toBe(false);
  return (JSON.parse(text) as number[]).map((ms) => ms / 1000);
}

it('a worker that is a hundred times slower holds a hedged run up by less than half', async () => {
  const run = { inputs: 1_000, ms: 1_000, onServer: true, concurrency: 10 };
  const slow = { ...run, workers: 20, slowWorkers: 1 };
  const [without = 0, hedged = 0, unhedged = 0] = await secondsOf(
    { ...run, workers: 19 },
    { ...slow, hedge: true },
    slow,
  );
  expect(hedged).toBeLessThan(1.5 * without);
  expect(unhedged).toBeGreaterThan(5 * without);
});

it('a slow worker that holds a fourth of a hedged run does not hold it up for long', async () => {
  const run = { inputs: 100, ms: 1_000, onServer: true, concurrency: 10 };
  const [without = 0, hedged = 0] = await secondsOf(
    { ...run, workers: 3 },
    { ...run, workers: 4, slowWorkers: 1, hedge: true },
  );
  expect(hedged).toBeLessThan(2 * without);
});

// The simulation fails if a second attempt exceeds the bounds.
it('a slow worker does not hold up a hedged run with bounds, nor does another one', async () => {
  const run = { workers: 6, inputs: 200, ms: 100, onServer: true, hedge: true };
  const [one = 0, paced = 0, two = 0] = await secondsOf(
    { ...run, slowWorkers: 1, bounds: { concurrency: 4 } },
    { ...run, slowWorkers: 1, bounds: { rate: '30/s' } },
    { ...run, ms: 300, slowWorkers: 2, bounds: { concurrency: 5 } },
  );
  expect(one).toBeLessThan(10);
  expect(paced).toBeLessThan(12);
  // A slow attempt takes 30 s.
  expect(two).toBeLessThan(29);
});

// The simulation fails if more inputs start than the rate allows.
it('a rate holds, and is reached, when the number of lanes changes', async () => {
  const run = { workers: 8, inputs: 600, ms: 20 };
  const [one, two] = [{ rate: '10/s' }, { rate: '10/s', concurrency: 2 }] as const;
  const taken = await secondsOf(
    { ...run, bounds: one, changes: [{ afterSeconds: 33, set: two }] },
    { ...run, bounds: two, changes: [{ afterSeconds: 33, set: one }] },
  );
  // The lanes rest for 14 s at most.
  for (const seconds of taken) expect(seconds).toBeLessThan(60 / 0.9 + 14);
});

// It fails if more inputs run at once than the larger bound allows, though others are under way.
it('a concurrency holds while it changes, with several inputs at once in a worker', async () => {
  // A chunk of one lane is short and one of the other is long.
  const ms = [5_000, 60_000].flatMap((one) => new Array<number>(13).fill(one));
  await secondsOf({
    ...{ workers: 6, inputs: 208, ms, concurrency: 10 },
    bounds: { concurrency: 20 },
    changes: [
      { afterSeconds: 20, set: { concurrency: 21 } },
      { afterSeconds: 200, set: { concurrency: 11 } },
    ],
  });
});

// It fails if less than 90 % is reached.
it('runs reach what their bounds allow, whatever the time of an input is', async () => {
  const runs: CalmRun[] = [
    { workers: 4, inputs: 200, ms: 10, bounds: { rate: '1/s' } },
    { workers: 12, inputs: 200, ms: 10_000, bounds: { rate: '1/s' } },
    { workers: 6, inputs: 100, ms: 10_000, bounds: { rate: '20/m' } },
    { workers: 9, inputs: 210, ms: 1_000, bounds: { concurrency: 7 } },
  ];
  await secondsOf(...runs.map((run) => ({ ...run, reaches: true })));
});

it('the first inputs of a run start promptly at any rate', async () => {
  const run = { workers: 2, ms: 100 };
  const [slow = 0, slowest = 0, second = 0] = await secondsOf(
    { ...run, inputs: 3, bounds: { rate: '3/m' } },
    { ...run, inputs: 1, bounds: { rate: '1/h' } },
    { ...run, inputs: 2, bounds: { rate: '0.5/s' }, onServer: true },
  );
  expect(slow).toBeLessThan(45);
  expect(slowest).toBeLessThan(5);
  expect(second).toBeLessThan(7);
});

it('a concurrency above what the workers reach costs nothing, also in a small run', async () => {
  const run = { workers: 2, inputs: 60, ms: 300, concurrency: 10, onServer: true };
  const [without = 0, ...bounded] = await secondsOf(
    run,
    ...[20, 25, 100].map((concurrency) => ({ ...run, bounds: { concurrency } })),
  );
  for (const seconds of bounded) expect(seconds).toBeLessThan(1.1 * without);
});

it('further attempts reach the rate of a run as its first ones do', async () => {
  const bounds = { rate: '20/s' } as const;
  const run = { workers: 6, inputs: 120, ms: 20, flaky: true, backoffBaseSeconds: 0.1, bounds };
  const [seconds = 0] = await secondsOf(run);
  // 300 attempts.
  expect(seconds).toBeLessThan(15 / 0.85);
});
