import { beforeEach, expect, it, vi } from 'vitest';
import { defineTask, type RunOptions } from '../../../src/index.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { numbers, virtualConnection } from '../virtual-connection.ts';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

const started: number[] = [];
const brief = defineTask({
  name: 'brief',
  concurrency: 2,
  async run(input: number) {
    started.push(Date.now());
    await new Promise((resolve) => setTimeout(resolve, 10));
    return input;
  },
});

const here = virtualConnection(2);
beforeEach(() => {
  started.length = 0;
});

/** A run of the task, and its results. */
function begin(inputs: number, options: RunOptions) {
  const run = here.fanfold.map(brief, numbers(inputs), options);
  const all = Array.fromAsync(run);
  all.catch(() => {});
  return { run, all };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Resolves what needs time to pass. */
async function passing<T>(promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => {});
  while (!isSettled) await pass(100);
  return settled;
}

/** Attempts that start within a time. */
async function startsIn(ms: number): Promise<number> {
  const before = started.length;
  await pass(ms);
  return started.length - before;
}

it('set merges with what holds, and null removes a bound', async () => {
  const { run, all } = begin(700, { rate: '10/s' });
  await pass(5 * SECOND);
  expect(await passing(run.set({ concurrency: 3 }))).toMatchObject({
    concurrency: 3,
    rate: '10/s',
  });
  expect(await startsIn(10 * SECOND)).toBeLessThanOrEqual(100);
  expect(await passing(here.fanfold.set(run.runId, { rate: '40/s' }))).toMatchObject({
    ...{ concurrency: 3, rate: '40/s' },
  });
  await pass(2 * SECOND);
  const faster = await startsIn(10 * SECOND);
  expect(faster).toBeGreaterThanOrEqual(300);
  expect(faster).toBeLessThanOrEqual(400);
  expect(run.settings).toMatchObject({ concurrency: 3, rate: '40/s' });
  expect(await passing(here.fanfold.status(run.runId))).toMatchObject({
    concurrency: 3,
    rate: '40/s',
  });
  expect(await passing(run.set({ rate: null, concurrency: null }))).toMatchObject({
    ...{ concurrency: undefined, rate: undefined },
  });
  expect(await passing(all)).toHaveLength(700);
});

it('a paused run starts nothing until it is unpaused', async () => {
  const { run, all } = begin(400, { rate: '20/s' });
  await pass(5 * SECOND);
  const { pausedAt } = await passing(run.pause());
  expect(pausedAt).toBeGreaterThan(0);
  expect(await passing(here.fanfold.pause(run.runId))).toMatchObject({ pausedAt });
  await pass(2 * SECOND);
  expect(await startsIn(20 * SECOND)).toBe(0);
  expect(run.settings).toMatchObject({ pausedAt, rate: '20/s' });
  // By another process, so that this one has to read it.
  await passing(here.fanfold.unpause(run.runId));
  await pass(3 * SECOND);
  expect(run.settings.pausedAt).toBeUndefined();
  expect(await startsIn(10 * SECOND)).toBeGreaterThan(100);
  await passing(run.set({ rate: null }));
  expect(await passing(all)).toHaveLength(400);
});

it('also a run without bounds is paused, and goes on', async () => {
  const { run, all } = begin(1_500, {});
  await pass(SECOND);
  await passing(run.pause());
  await pass(2 * SECOND);
  expect(started.length).toBeLessThan(1_500);
  expect(await startsIn(20 * SECOND)).toBe(0);
  await passing(run.unpause());
  expect(await passing(all)).toHaveLength(1_500);
});

it.each([true, false])('a deadline that is extended (%s) moves by the pause', async (extends_) => {
  const { run, all } = begin(200, { rate: '2/s', deadlineSeconds: 30 });
  await pass(5 * SECOND);
  const { expiresAt: before = 0 } = await passing(run.pause());
  await pass(20 * SECOND);
  const { expiresAt = 0 } = await passing(
    here.fanfold.unpause(run.runId, { extendDeadline: extends_ }),
  );
  const pausedMs = extends_ ? 20 * SECOND : 0;
  expect(expiresAt - before).toBeGreaterThanOrEqual(pausedMs);
  expect(expiresAt - before).toBeLessThan(pausedMs + 5 * SECOND);
  while (run.cause === undefined) await pass(500);
  expect(run.cause).toMatch(/deadline/);
  expect(Date.now()).toBeGreaterThan(expiresAt - SECOND);
  // A worker may be in the middle of a slice, whose results are still taken.
  expect(Date.now()).toBeLessThan(expiresAt + 40 * SECOND);
  expect(await passing(all)).toHaveLength(200);
});

it('a run that is paused ends at its deadline', async () => {
  const { run, all } = begin(100, { rate: '10/s', deadlineSeconds: 20 });
  await pass(5 * SECOND);
  await passing(run.pause());
  await passing(all);
  expect(run.cause).toMatch(/deadline/);
  expect(run.ledger).toMatchObject({ inputs: 100, failed: 100 - started.length });
});

it('a deadline is at most 13 days after the beginning', async () => {
  const { run } = begin(1_000, { rate: '1/m', deadlineSeconds: 12.9999 * 86_400 });
  await pass(5 * SECOND);
  await passing(run.pause());
  vi.setSystemTime(Date.now() + DAY / 2);
  const refused = passing(run.unpause({ extendDeadline: true }));
  await expect(refused).rejects.toThrow(/13 days .* Unpause the run without/);
  expect(await passing(run.unpause())).toMatchObject({ pausedAt: undefined });
});

it('a run that is resumed keeps its bounds, unless others are given', async () => {
  const inputs = numbers(900);
  const { run, all } = begin(900, { rate: '20/s', concurrency: 4 });
  await pass(3 * SECOND);
  run.leave();
  await passing(all);
  const { runId } = run;
  const again = (options: RunOptions) =>
    here.fanfold.map(brief, inputs, { ...options, resume: { runId, seeded: 900 } });
  const kept = again({});
  const first = Array.fromAsync(kept);
  await pass(3 * SECOND);
  expect(kept.settings).toMatchObject({ concurrency: 4, rate: '20/s' });
  kept.leave();
  await passing(first);
  const faster = again({ rate: '100/s' });
  const rest = Array.fromAsync(faster);
  rest.catch(() => {});
  await pass(3 * SECOND);
  expect(await passing(here.fanfold.status(runId))).toMatchObject({
    concurrency: 4,
    rate: '100/s',
  });
  expect(await startsIn(3 * SECOND)).toBeGreaterThan(100);
  await passing(faster.cancel());
});

it('refuses what can’t be set', async () => {
  const { run } = begin(500, { rate: '20/s' });
  await pass(SECOND);
  const { runId } = run;
  const wrong = (changes: object) => passing(here.fanfold.set(runId, changes));
  await expect(wrong({})).rejects.toThrow(/nothing to set/);
  await expect(wrong({ concurrency: 0 })).rejects.toThrow(/from 1 to 100000; got 0/);
  await expect(wrong({ rate: '100/x' })).rejects.toThrow(/must be like "100\/s"/);
  await expect(wrong({ rat: '1/s' })).rejects.toThrow(/no option `rat`.*`rate`/);
  const extended = passing(here.fanfold.unpause(runId, { extendDeadline: 1 as never }));
  await expect(extended).rejects.toThrow(/must be true or false/);
  for (const unknown of [newRunId(), 'of-the-shared-queue']) {
    const refusal = { code: 'UnknownRun', message: expect.stringMatching(/shared result queue/) };
    await expect(passing(here.fanfold.set(unknown, { rate: '1/s' }))).rejects.toMatchObject(
      refusal,
    );
    await expect(passing(here.fanfold.pause(unknown))).rejects.toMatchObject(refusal);
    await expect(passing(here.fanfold.unpause(unknown))).rejects.toMatchObject(refusal);
  }
  for (const wrongId of ['', undefined, 5, {}, 'x'.repeat(500)]) {
    const set = here.fanfold.set(wrongId as never, { rate: '1/s' });
    const refusal = { code: 'BadOption', message: expect.stringMatching(/run id must be like/) };
    await expect(passing(set)).rejects.toMatchObject(refusal);
  }
  await passing(run.cancel());
  await expect(passing(run.pause())).rejects.toMatchObject({ code: 'UnknownRun' });
});
