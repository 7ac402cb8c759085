import { describe, expect, it } from 'vitest';
import {
  drawn,
  eventSourceConcurrency,
  initOf,
  processorShare,
  SQS_CALL,
  secondsToEnvironments,
} from '../../src/planning/model.ts';
import { Random } from '../../src/worlds/planned/random.ts';

describe('the model reproduces what AWS publishes', () => {
  it('an event source adds 300 a minute to 5, up to its maximum', () => {
    expect([0, 60, 120].map((at) => eventSourceConcurrency(at, 1_000))).toEqual([5, 305, 605]);
    expect(eventSourceConcurrency(198, 1_000)).toBeLessThan(1_000);
    expect(eventSourceConcurrency(200, 1_000)).toBe(1_000);
    expect(eventSourceConcurrency(900, 40)).toBe(40);
  });

  it('a function has 1,000 environments more each 10 s', () => {
    expect(secondsToEnvironments(1_000)).toBe(10);
  });

  it('1,769 MB give a function one processor, of which less memory has a share', () => {
    expect(processorShare(1_769)).toBe(1);
    expect(processorShare(884.5)).toBe(0.5);
    expect(processorShare(10_240)).toBe(1);
  });

  it('a larger bundle starts later, as measured', () => {
    expect(initOf(260_000).medianMs).toBe(100);
    expect(initOf(1_500_000).medianMs).toBeCloseTo(1_000);
    expect(initOf(250_000_000).medianMs).toBe(10_000);
  });
});

it('half of the latencies are below the median, and 1 % above the 99th percentile', () => {
  const random = new Random(1);
  const drawings = Array.from({ length: 20_000 }, () => drawn(SQS_CALL.inside, random.next));
  const share = (ms: number) => drawings.filter((one) => one <= ms).length / drawings.length;
  expect(share(SQS_CALL.inside.medianMs)).toBeCloseTo(0.5, 1);
  expect(share(SQS_CALL.inside.p99Ms)).toBeCloseTo(0.99, 2);
});
