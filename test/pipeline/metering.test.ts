import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineTask } from '../../src/index.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import type { Deployment } from '../../src/pipeline/run/deployment.ts';
import { endedRunsOf } from '../../src/pipeline/run/ended.ts';
import type { Cost } from '../../src/planning/cost.ts';
import { priceTable } from '../../src/planning/price-table.ts';
import type { Usage } from '../../src/planning/usage.ts';
import { TaskRegistry } from '../../src/task-registry.ts';
import type { Bill } from '../../src/worlds/planned/bill.ts';
import { virtualStack } from '../../src/worlds/planned/stack.ts';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const registry = TaskRegistry.fromModule({
  sleep: defineTask({
    name: 'sleep',
    run: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms)),
  }),
});

const tasks = () => registry;

const turn = setImmediate;

/** Passes virtual time until all runs are over, and burst workers have ended. */
async function over(...runs: Run[]): Promise<void> {
  let left = runs.length;
  for (const run of runs) {
    const taken = async () => {
      for await (const _ of run.batches());
    };
    void taken().finally(() => left--);
  }
  const pass = async () => {
    await new Promise(turn);
    vi.advanceTimersToNextTimer();
  };
  while (left > 0) await pass();
  for (const until = Date.now() + 30_000; Date.now() < until; ) await pass();
}

/** The cost of the run that has ended, as the list of ended runs has it. */
async function statusAtEnd(deployment: Deployment) {
  let cost: Cost | undefined;
  let isRead = false;
  void endedRunsOf(deployment).then((runs) => {
    cost = runs?.[0]?.cost;
    isRead = true;
  });
  for (; !isRead; vi.advanceTimersToNextTimer()) await new Promise(turn);
  return cost;
}

const inputs = (count: number, ms: number) => Array.from({ length: count }, () => ms);

/** Requests to SQS that are a run's: receives of no message by the event source are not. */
function requestsOf(bill: Bill): number {
  const handled = (bill.lambda.get('worker')?.count ?? 0) * 2;
  return bill.requests() - bill.requests(/^poller/) + handled;
}

const sqsOf = ({ sqs }: Usage) => sqs.standard + sqs.fair + sqs.fifo;
const secondsOf = ({ gbSeconds }: Usage) => gbSeconds.arm64 + gbSeconds.x86_64;

function expectWithin(share: number, actual: number, expected: number): void {
  expect(Math.abs(actual - expected) / expected, `${actual} for ${expected}`).toBeLessThan(share);
}

describe('what is metered is what AWS bills', () => {
  it('of workers by the event source and by burst, of the seed and the collector', async () => {
    const stack = await virtualStack({ tasks, maxConcurrency: 8, burst: 4, watching: () => ({}) });
    const run = new Run(stack.deployment, 'sleep', inputs(240, 100));
    await over(run);
    const { counted } = run.cost ?? expect.fail();
    const { bill } = stack;
    expect(counted.invocations).toBe(bill.invocations);
    expectWithin(0.02, secondsOf(counted), bill.ms / 1000);
    expectWithin(0.05, sqsOf(counted), requestsOf(bill));
    expectWithin(0.05, counted.transferBytes, bill.egressBytes);
    const { usd = 0, items } = run.cost ?? expect.fail();
    const free = priceTable({ '*': { lambda: { gbSecond: { arm64: 0, x86_64: 0 } } } });
    const priced = await statusAtEnd({ ...stack.deployment, prices: free });
    expect(priced?.usd).toBeCloseTo(usd - (items?.lambdaDuration ?? 0));
  });

  it('of burst workers that find nothing to do', async () => {
    const stack = await virtualStack({
      tasks,
      maxConcurrency: 12,
      burst: 10,
      watching: () => ({}),
    });
    const run = new Run(stack.deployment, 'sleep', inputs(20, 0));
    await over(run);
    const { counted } = run.cost ?? expect.fail();
    expect(stack.bill.lambda.get('burst')?.count).toBe(10);
    expect(counted.invocations).toBe(stack.bill.invocations);
    expectWithin(0.02, secondsOf(counted), stack.bill.ms / 1000);
  });

  it('of workers that are killed, whose results come twice', async () => {
    const deaths = [20_450, 35_900];
    const stack = await virtualStack({
      ...{ tasks, maxConcurrency: 4, burst: 2, watching: () => ({}) },
      burstDiesAfterMs: () => deaths.pop(),
    });
    const run = new Run(stack.deployment, 'sleep', inputs(300, 1_000));
    await over(run);
    const { ok, duplicates } = run.ledger;
    expect(ok).toBe(300);
    expect(duplicates).toBeGreaterThan(0);
    const { counted } = run.cost ?? expect.fail();
    expectWithin(0.02, counted.invocations, stack.bill.invocations);
    expectWithin(0.02, secondsOf(counted), stack.bill.ms / 1000);
  });

  it('of a worker whose inputs take long, while they do', async () => {
    const stack = await virtualStack({ tasks, maxConcurrency: 2, burst: 0, watching: () => ({}) });
    const run = new Run(stack.deployment, 'sleep', inputs(1, 240_000));
    const costs: number[] = [];
    const timer = setInterval(
      () => costs.push(secondsOf(run.cost?.counted ?? expect.fail())),
      60_000,
    );
    await over(run);
    clearInterval(timer);
    for (const [minutes, seconds] of costs.slice(0, 3).entries()) {
      expect(seconds).toBeGreaterThan((minutes + 1) * 60 - 32);
    }
  });

  it('of workers that work on two runs, each of which pays for its own part', async () => {
    const stack = await virtualStack({ tasks, maxConcurrency: 4, burst: 0, watching: () => ({}) });
    const one = new Run(stack.deployment, 'sleep', inputs(60, 300));
    const other = new Run(stack.deployment, 'sleep', inputs(60, 100));
    await over(one, other);
    const [most, least] = [one, other].map((run) => run.cost?.counted ?? expect.fail());
    if (!most || !least) throw new Error('Expected two costs.');
    expect(most.invocations + least.invocations).toBe(stack.bill.invocations);
    expectWithin(0.02, secondsOf(most) + secondsOf(least), stack.bill.ms / 1000);
    expectWithin(0.15, secondsOf(most), 3 * secondsOf(least));
  });
});
