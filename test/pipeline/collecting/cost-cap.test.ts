import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineTask } from '../../../src/index.ts';
import { Run } from '../../../src/pipeline/collecting/run.ts';
import type { Deployment } from '../../../src/pipeline/run/deployment.ts';
import { statusOf } from '../../../src/pipeline/run/status.ts';
import { setRun, unpauseRun } from '../../../src/pipeline/seeding/set-run.ts';
import { costOf } from '../../../src/planning/cost.ts';
import { noUsage } from '../../../src/planning/usage.ts';
import { TaskRegistry } from '../../../src/task-registry.ts';
import type { Bill } from '../../../src/worlds/planned/bill.ts';
import { virtualStack } from '../../../src/worlds/planned/stack.ts';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});
afterEach(() => void vi.useRealTimers());

const tasks = TaskRegistry.fromModule({
  sleep: defineTask({
    name: 'sleep',
    run: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms)),
  }),
});

const inputs = (count: number, ms: number) => Array.from({ length: count }, () => ms);
const turn = setImmediate;

/** Passes virtual time until a condition holds. */
async function until(isMet: () => boolean): Promise<void> {
  while (!isMet()) {
    await new Promise(turn);
    vi.advanceTimersToNextTimer();
  }
}

/** Passes virtual time. */
async function pass(seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  await until(() => Date.now() >= end);
}

/** What AWS bills for a run, without receives of no message by the event source. */
function billedUsd(bill: Bill): number {
  const handled = (bill.lambda.get('worker')?.count ?? 0) * 2;
  const seconds = bill.ms / 1000;
  const { usd = 0 } = costOf('us-east-1', {
    ...noUsage(),
    gbSeconds:
      process.arch === 'arm64' ? { arm64: seconds, x86_64: 0 } : { arm64: 0, x86_64: seconds },
    invocations: bill.invocations,
    sqs: {
      standard: bill.requests(/^collector/),
      fair: bill.requests(/^(seed|worker)/) + handled,
      fifo: 0,
    },
    transferBytes: bill.egressBytes,
  });
  return usd;
}

/** Awaits a call while virtual time passes. */
async function inTime<Answer>(call: Promise<Answer>): Promise<Answer> {
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  call.then(done, done);
  await until(() => isDone);
  return call;
}

function collected(run: Run) {
  const state = { isOver: false };
  const take = async () => {
    for await (const _ of run.batches());
  };
  void take().finally(() => {
    state.isOver = true;
  });
  return state;
}

const STACK = { tasks: () => tasks, maxConcurrency: 8, burst: 4, watching: () => ({}) };

describe('a run stops before its cost passes the limit', () => {
  it.each([
    ['of short inputs', inputs(20_000, 100), 0.02],
    ['of long inputs', inputs(2_000, 8_000), 0.03],
    ['far below what all inputs cost', inputs(20_000, 400), 0.006],
  ])('and is cancelled: %s', async (_, given, maxCost) => {
    const stack = await virtualStack(STACK);
    const run = new Run(stack.deployment, 'sleep', given, { maxCost });
    const state = collected(run);
    await until(() => state.isOver);
    const metered = run.cost?.usd ?? expect.fail();
    expect(run.cause).toContain('it reached its cost limit of $');
    expect(run.ledger.cancelled).toBeGreaterThan(0);
    // Chunks that are left must not go round, at a cost.
    await pass(600);
    const billed = billedUsd(stack.bill);
    expect(metered).toBeLessThan(maxCost);
    expect(billed).toBeLessThan(maxCost);
    expect(metered).toBeGreaterThan(maxCost / 2);
  });

  it('and pauses, until the limit is higher', async () => {
    const stack = await virtualStack(STACK);
    const { deployment, bill } = stack;
    const given = { maxCost: 0.03, pauseAtCost: true };
    const run = new Run(deployment, 'sleep', inputs(600, 8_000), given);
    const state = collected(run);
    await until(() => run.settings.pausedAt !== undefined);
    await pass(120);
    const { costLimit } = run.settings;
    expect(costLimit).toEqual({ usd: 0.03, pauses: true, reachedUsd: expect.any(Number) });
    const seen = await inTime(statusOf(deployment, run.runId));
    expect(seen?.costLimit?.reachedUsd).toBeCloseTo(costLimit?.reachedUsd ?? 0, 5);
    expect(run.cost?.usd).toBeLessThan(0.03);
    expect(billedUsd(bill)).toBeLessThan(0.03);
    expect(run.ledger.ok).toBeLessThan(600);

    await expect(inTime(unpauseRun(deployment, run.runId))).rejects.toThrow(
      /reached its cost limit of \$0.0300 .*--max-cost/,
    );
    expect(await inTime(unpauseRun(deployment, run.runId, { maxCost: 1 }))).toMatchObject({
      pausedAt: undefined,
      costLimit: { usd: 1, pauses: true },
    });
    await until(() => state.isOver);
    expect(run.ledger).toMatchObject({ ok: 600, failed: 0, cancelled: 0 });
    expect(run.cause).toBeUndefined();
  });

  it('as the limit says that another process has set, and lets it go on without one', async () => {
    const { deployment } = await virtualStack(STACK);
    const run = new Run(deployment, 'sleep', inputs(600, 8_000), { pauseAtCost: true, maxCost: 9 });
    const state = collected(run);
    await pass(60);
    await inTime(setRun(deployment, run.runId, { maxCost: 0.02 }));
    await until(() => run.settings.pausedAt !== undefined);
    expect(run.settings.costLimit).toMatchObject({ usd: 0.02, pauses: true });
    await inTime(run.set({ maxCost: null }));
    expect(run.settings.costLimit).toBeUndefined();
    await until(() => state.isOver);
    expect(run.ledger.ok).toBe(600);
  });
});

describe('a limit is refused', () => {
  it.each([
    ['a text', { maxCost: '5' }, '`maxCost` must be a number of US dollars'],
    ['nothing', { maxCost: 0 }, 'from 0.0001 to 1000000'],
    ['no number', { maxCost: Number.NaN }, 'got NaN'],
    ['a pause without a limit', { pauseAtCost: true }, '`pauseAtCost` needs a limit'],
  ])('%s', async (_, options, why) => {
    const { deployment } = await virtualStack(STACK);
    expect(() => new Run(deployment, 'sleep', [1], options as never)).toThrow(why);
  });

  it('where nothing is metered, and where prices are not known', async () => {
    const { deployment } = await virtualStack(STACK);
    const { metered: _, ...unmetered } = deployment;
    const run = (on: Deployment) => () => new Run(on, 'sleep', [1], { maxCost: 5 });
    expect(run(unmetered)).toThrow('`maxCost` needs a run that is metered');
    const metered = { region: 'mars-north-1', usedFor: () => undefined };
    expect(run({ ...deployment, metered })).toThrow('the prices of mars-north-1, which are not');
  });
});
