import { describe, expect, it, vi } from 'vitest';
import { type AwsQuestion, type Predict, planOnAws } from '../../src/planning/on-aws.ts';
import type { PlannedDeployment, PlanRequest } from '../../src/planning/planned-run.ts';
import { PUBLIC_PRICES, priceTable } from '../../src/planning/price-table.ts';
import { randomFrom } from '../../src/planning/random.ts';
import { noUsage } from '../../src/planning/usage.ts';

const DEPLOYMENT: PlannedDeployment = {
  ...{ region: 'us-east-1', memoryMb: 1_024, architecture: 'arm64' },
  ...{ maxConcurrency: 100, burst: 50 },
};

const mean = (sample: PlanRequest['sample']) =>
  sample.reduce((sum, { ms, attempts }) => sum + ms * attempts, 0) / sample.length;

/** Time and GB-s of the inputs' own work, without anything of AWS. */
const predict: Predict = async ({ inputs, sample, deployment }) => {
  const { memoryMb, maxConcurrency, architecture } = deployment;
  const seconds = (inputs * mean(sample)) / 1000;
  const usage = noUsage();
  usage.gbSeconds[architecture] = seconds * (memoryMb / 1024);
  usage.sqs.standard = inputs;
  return {
    ...{ seconds: seconds / maxConcurrency, usage, logBytes: 1e9, timeline: [], simulated: inputs },
    ...{ secondsToAllWorkers: 12, limitedBy: 'the maximum concurrency', peakWorkers: 100 },
  };
};

/** Inputs of 50 to 150 ms. */
const sample = Array.from({ length: 101 }, (_, at) => {
  return { ms: 50 + at, attempts: 1, outputBytes: 100, ok: true };
});

const QUESTION: AwsQuestion = {
  ...{ inputs: 1_000_000, inputBytes: 50, sample, deployment: DEPLOYMENT, prices: PUBLIC_PRICES },
  ...{ sampledAt: { memoryMb: undefined, cpuShare: 0 }, peakMemoryMb: 100 },
};

const plan = (question: Partial<AwsQuestion> = {}) =>
  planOnAws({ ...QUESTION, ...question }, predict, randomFrom(1));

it('has ranges of time and of each item of the cost, from resampling', async () => {
  const { seconds, aws } = await plan();
  expect(seconds.likely).toBeCloseTo(1_000, 6);
  // The standard error of the mean is 2.9 %: 4.8 % to each side hold nine of ten.
  expect(seconds.low).toBeGreaterThan(930);
  expect(seconds.low).toBeLessThan(975);
  expect(seconds.high).toBeGreaterThan(1_025);
  expect(seconds.high).toBeLessThan(1_070);
  const { items, usd } = aws;
  expect(items.lambdaDuration.likely).toBeCloseTo(100_000 * 0.0000133334, 6);
  expect(items.lambdaDuration.low).toBeLessThan(items.lambdaDuration.likely);
  expect(items.sqsRequests.likely).toBeCloseTo(0.4, 9);
  expect(items.sqsRequests.low).toBe(items.sqsRequests.high);
  expect(items.logs.likely).toBeCloseTo(0.5, 9);
  expect(usd.likely).toBeCloseTo(1.33334 + 0.4 + 0.5, 5);
});

it('has no range if all inputs were run', async () => {
  const { seconds } = await plan({ inputs: sample.length });
  expect(seconds.low).toBe(seconds.high);
});

describe('other sizes', () => {
  it('are other concurrencies and memories, with the cheapest and the fastest marked', async () => {
    const { aws } = await plan({ sampledAt: { memoryMb: undefined, cpuShare: 1 } });
    const [first, ...others] = aws.sizes;
    expect(first).toMatchObject({ memoryMb: 1_024, maxConcurrency: 100, isPlanned: true });
    const text = others.map((size) => `${size.memoryMb}/${size.maxConcurrency}/${size.burst}`);
    expect(text.toSorted()).toEqual(
      ['1024/200/100', '1024/50/25', '1024/400/200', '1024/25/13']
        .concat(['1769/100/50', '512/100/50', '256/100/50', '3008/100/50'].toSorted())
        .toSorted(),
    );
    const fastest = aws.sizes.filter((size) => size.isFastest);
    expect(fastest.map(({ maxConcurrency }) => maxConcurrency)).toEqual([400]);
    // Below a whole processor, computing costs the same with any memory; above, it costs more.
    const [large, small] = [3_008, 512].map((mb) => aws.sizes.find((one) => one.memoryMb === mb));
    expect(large?.usd).toBeGreaterThan(1.2 * (small?.usd ?? 0));
    expect(large?.isCheapest).toBe(false);
  });

  it('slow down computing with less memory, and waiting not', async () => {
    const waiting = await plan();
    const computing = await plan({ sampledAt: { memoryMb: undefined, cpuShare: 1 } });
    expect(computing.seconds.likely / waiting.seconds.likely).toBeCloseTo(1_769 / 1_024, 6);
    const at = { memoryMb: 1_024, cpuShare: 1 };
    expect((await plan({ sampledAt: at })).seconds.likely).toBeCloseTo(1_000, 6);
  });

  it('leave out memories that are too small, and all whose effect is not known', async () => {
    const { aws } = await plan({ peakMemoryMb: 500 });
    expect(aws.sizes.some(({ memoryMb }) => memoryMb < 600)).toBe(false);
    const unknown = await plan({ sampledAt: { memoryMb: 1_024, cpuShare: undefined } });
    expect(new Set(unknown.aws.sizes.map(({ memoryMb }) => memoryMb))).toEqual(new Set([1_024]));
  });

  it('stay within what can be deployed', async () => {
    const { aws } = await plan({ deployment: { ...DEPLOYMENT, maxConcurrency: 4, burst: 2 } });
    const sizes = aws.sizes.map(({ maxConcurrency, burst }) => [maxConcurrency, burst]);
    expect(sizes).toContainEqual([2, 0]);
    expect(sizes.every(([most = 0]) => most >= 2 && most <= 1_000)).toBe(true);
  });
});

it('compares with Step Functions and with a message for each input', async () => {
  const { aws } = await plan();
  const work = 100_000 * 0.0000133334;
  const [standard, express, messages] = aws.elsewhere.map(({ usd }) => usd);
  // A million transitions of $25 a million, and as many invocations of $0.20 a million.
  expect(standard).toBeCloseTo(work + 25 + 0.2, 3);
  // A million starts of $1 a million, each of 100 ms of 64 MB.
  expect(express).toBeCloseTo(work + 0.2 + 1 + 0.1 * 0.0625 * 16.67, 3);
  // Six calls and an invocation for ten messages.
  expect(messages).toBeCloseTo(work + 0.6 * 0.4 + 0.02, 3);
});

it('has a range in proportion to the work where a simulation takes long', async () => {
  const clock = vi.spyOn(performance, 'now');
  let [now, calls] = [0, 0];
  clock.mockImplementation(() => now);
  const slow: Predict = async (request) => {
    now += 20_000;
    calls++;
    return predict(request);
  };
  const { seconds, aws } = await planOnAws(QUESTION, slow, randomFrom(1));
  clock.mockRestore();
  const exact = await plan();
  expect(seconds.low).toBeCloseTo(exact.seconds.low, 6);
  expect(aws.usd.high).toBeCloseTo(exact.aws.usd.high, 6);
  // The run itself, and sizes for half a minute.
  expect(calls).toBe(3);
});

it('is at the prices that replace the public ones', async () => {
  const prices = priceTable({ 'us-east-1': { sqs: { standard: 0.000001 }, logGb: 0.1 } });
  const { items, pricesOf } = (await plan({ prices })).aws;
  expect(items.sqsRequests.likely).toBeCloseTo(1, 9);
  expect(items.logs.likely).toBeCloseTo(0.1, 9);
  expect(pricesOf).toContain('some replaced');
});
