import { beforeEach, expect, it, vi } from 'vitest';
import { defineTask, NonRetryableError, type Run, type RunOptions } from '../../src/index.ts';
import { numbers, virtualConnection } from './virtual-connection.ts';

const SECOND = 1_000;
const INPUTS = 500;

/** A service that is down for a while, and the calls that it got. */
const service = { isDown: false, refused: 0, answered: 0 };
const call = defineTask({
  ...{ name: 'call', concurrency: 5, maxAttempts: 3 },
  async run(n: number) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (service.isDown) {
      service.refused++;
      throw new Error('503 Service Unavailable');
    }
    service.answered++;
    return n;
  },
});

const here = virtualConnection(2);
beforeEach(() => {
  Object.assign(service, { isDown: false, refused: 0, answered: 0 });
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Resolves what needs time to pass, ten minutes at most. */
async function passing<T>(promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => {});
  for (let n = 0; n < 6_000 && !isSettled; n++) {
    // Files are read in real time.
    await new Promise(setImmediate);
    await pass(100);
  }
  expect(isSettled).toBe(true);
  return settled;
}

async function until(isSo: () => boolean, seconds = 120): Promise<void> {
  for (let n = 0; n < seconds * 10 && !isSo(); n++) await pass(100);
  expect(isSo()).toBe(true);
}

/** A run whose service fails once a part of the inputs is done, as far as it pauses itself. */
async function intoOutage(options: RunOptions = {}) {
  const run = here.fanfold.map(call, numbers(INPUTS), { pauseWhenFailing: '50%/10s', ...options });
  const all = Array.fromAsync(run);
  all.catch(() => {});
  await until(() => service.answered > INPUTS / 3);
  service.isDown = true;
  await until(() => run.settings.outage !== undefined);
  return { run, all };
}

const isOn = (run: Run) => run.settings.outage !== undefined;

it('a run pauses itself in an outage, says why, and goes on after it', async () => {
  const { run, all } = await intoOutage();
  expect(run.settings.outage?.reason).toMatch(
    /^\d+ % of \d+ inputs failed within \d+ s, last: Error: 503 Service Unavailable$/,
  );
  expect(await passing(here.fanfold.status(run.runId))).toMatchObject({
    outage: run.settings.outage,
  });
  await pass(5 * SECOND);
  const refused = service.refused;
  // Each of the two workers makes ten attempts at a time that fail, and has five more under way.
  expect(refused).toBeLessThan(80);
  await pass(60 * SECOND);
  expect(service.refused - refused).toBeGreaterThan(40);
  expect(service.refused - refused).toBeLessThanOrEqual(60);
  service.isDown = false;
  await until(() => !isOn(run), 10);
  const results = await passing(all);
  expect(results.filter(({ status }) => status === 'ok')).toHaveLength(INPUTS);
});

it('no attempt counts that is made during an outage', async () => {
  service.isDown = true;
  const run = here.fanfold.map(call, numbers(25), { pauseWhenFailing: '50%/10s' });
  const all = Array.fromAsync(run);
  all.catch(() => {});
  await until(() => isOn(run));
  await pass(100 * SECOND);
  expect(service.refused).toBeGreaterThan(25 * 4);
  service.isDown = false;
  expect((await passing(all)).every(({ status }) => status === 'ok')).toBe(true);
});

it('another collector lets the run go on', async () => {
  const { run, all } = await intoOutage();
  run.leave();
  await passing(all.catch(() => {}));
  service.isDown = false;
  await pass(30 * SECOND);
  expect((await passing(here.fanfold.status(run.runId)))?.outage).toBeDefined();
  const next = await passing(here.fanfold.collect(call, run.runId));
  const rest = Array.fromAsync(next);
  expect((await passing(rest)).every(({ status }) => status === 'ok')).toBe(true);
  expect(service.answered).toBe(INPUTS);
  expect(isOn(next)).toBe(false);
});

it.each([
  ['unpause', (run: Run) => run.unpause()],
  ['set', (run: Run) => run.set({ rate: '50/s' })],
] as const)('an operator ends an outage by %s', async (_, change) => {
  const { run, all } = await intoOutage();
  const refused = service.refused;
  expect((await passing(change(run))).outage).toBeUndefined();
  await until(() => service.refused >= refused + 10, 5);
  await until(() => isOn(run), 60);
  service.isDown = false;
  const results = await passing(all);
  expect(results.filter(({ status }) => status === 'ok').length).toBeGreaterThan(INPUTS - 200);
});

it('a run that was paused does not try any input in an outage', async () => {
  const { run, all } = await intoOutage();
  await passing(run.pause());
  await pass(3 * SECOND);
  const { refused } = service;
  await pass(5 * SECOND);
  expect(service.refused).toBe(refused);
  service.isDown = false;
  expect(await passing(run.unpause())).toMatchObject({ pausedAt: undefined, outage: undefined });
  expect((await passing(all)).every(({ status }) => status === 'ok')).toBe(true);
});

it('a run with bounds has them again after an outage', async () => {
  const { run, all } = await intoOutage({ concurrency: 4, rate: '100/s' });
  service.isDown = false;
  await until(() => !isOn(run), 20);
  expect(run.settings).toMatchObject({ concurrency: 4, rate: '100/s' });
  await pass(SECOND / 2);
  const { answered } = service;
  await pass(3 * SECOND);
  expect(service.answered - answered).toBeLessThanOrEqual(300);
  expect(service.answered - answered).toBeGreaterThan(150);
  expect((await passing(all)).every(({ status }) => status === 'ok')).toBe(true);
});

it('a run does not pause for the few inputs that always fail', async () => {
  const bad = defineTask({
    ...{ name: 'bad', maxAttempts: 5, backoffCapSeconds: 2 },
    run(n: number) {
      if (n % 4 === 0) throw new Error('bad');
      return n;
    },
  });
  const run = here.fanfold.map(bad, numbers(100), { pauseWhenFailing: '50%/5s' });
  const all = Array.fromAsync(run);
  let wasOn = false;
  const look = setInterval(() => {
    wasOn ||= isOn(run);
  }, 50);
  const results = await passing(all);
  clearInterval(look);
  expect(results.filter(({ status }) => status === 'failed')).toHaveLength(25);
  expect(wasOn).toBe(false);
});

it('inputs that must not be retried count as failures', async () => {
  const refusing = defineTask({
    name: 'refusing',
    async run() {
      await new Promise((resolve) => setTimeout(resolve, 10));
      throw new NonRetryableError('401 Unauthorized');
    },
  });
  const run = here.fanfold.map(refusing, numbers(INPUTS), { pauseWhenFailing: '50%/1m' });
  const all = Array.fromAsync(run);
  all.catch(() => {});
  await until(() => isOn(run), 10);
  expect(run.settings.outage?.reason).toContain('last: NonRetryableError: 401 Unauthorized');
  await pass(30 * SECOND);
  expect(run.ledger.failed).toBeLessThan(200);
  await passing(run.cancel());
});
