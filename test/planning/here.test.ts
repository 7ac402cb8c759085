import { describe, expect, it } from 'vitest';
import { type Machine, type Sampled, timeHere } from '../../src/planning/here.ts';
import { randomFrom } from '../../src/planning/random.ts';

const MACHINE: Machine = {
  ...{ workers: 2, each: 1, chunkItems: 10, startMs: 100, pipelineMs: 50, cpuShare: 0 },
};

const lasting = (ms: number): Sampled => ({ ms, spanMs: ms, attempts: 1 });
const even = Array.from({ length: 50 }, () => lasting(20));

function time(sample: readonly Sampled[], inputs: number, machine: Partial<Machine> = {}) {
  return timeHere(sample, inputs, { ...MACHINE, ...machine }, randomFrom(1));
}

describe('a run of inputs that take the same time', () => {
  // Two workers; 3 ms between chunks.
  it.each([
    ['shares them among the workers', 1_000, {}, 0.15 + 50 * (10 * 0.02 + 0.003)],
    ['runs several at once', 1_000, { each: 5 }, 0.15 + 50 * (2 * 0.02 + 0.003)],
    ['has chunks that end with their slowest', 1_000, { each: 6 }, 0.15 + 50 * (2 * 0.02 + 0.003)],
    ['is the same for many', 1_000_000, {}, 0.15 + 50_000 * (10 * 0.02 + 0.003)],
    ['waits for the processor', 1_000, { each: 5, cpuShare: 1 }, 0.15 + 50 * (0.2 + 0.003)],
    ['keeps to a rate', 1_000, { ratePerSecond: 10 }, 0.1 + 100],
    ['gives long chunks back', 500, { chunkItems: 500 }, 0.15 + 5.003],
  ] as const)('%s', (_, inputs, machine, expected) => {
    const { seconds, limitedByRate } = time(even, inputs, machine);
    expect(Math.abs(seconds.likely / expected - 1)).toBeLessThan(0.03);
    expect(seconds.low).toBeLessThan(expected);
    expect(seconds.high).toBeGreaterThan(expected);
    expect(limitedByRate).toBe('ratePerSecond' in machine);
  });
});

it('waits for the further attempts of the last inputs', () => {
  const retried = [{ ms: 40, spanMs: 30_000, attempts: 3 }];
  const { seconds } = time(retried, 20);
  expect(seconds.likely).toBeGreaterThan(28);
  expect(seconds.likely).toBeLessThan(33);
});

describe('the range', () => {
  /** Durations with a long tail, as of a lognormal distribution. */
  function tailed(count: number, seed: number): Sampled[] {
    const random = randomFrom(seed);
    return Array.from({ length: count }, () => {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(6.2832 * random());
      return lasting(5 * Math.exp(normal));
    });
  }

  it('holds the truth in at least 8 of 10 samples of durations with a long tail', () => {
    let held = 0;
    for (let seed = 0; seed < 25; seed++) {
      const all = tailed(3_000, seed);
      const truth = 0.15 + all.reduce((sum, { ms }) => sum + ms, 0) / 2_000 + 0.45;
      const { low, high } = timeHere(all.slice(0, 200), 3_000, MACHINE, randomFrom(seed)).seconds;
      if (low <= truth && truth <= high) held++;
    }
    expect(held).toBeGreaterThanOrEqual(20);
  });

  it('is narrower with a larger sample, and narrowest if all inputs are in it', () => {
    const all = tailed(2_000, 1);
    const [few, many, every] = [50, 800, 2_000].map((size) => {
      const { low, likely, high } = time(all.slice(0, size), 2_000).seconds;
      return (high - low) / likely;
    });
    expect(few).toBeGreaterThan(1.3 * (many ?? 0));
    expect(many).toBeGreaterThan(1.05 * (every ?? 0));
  });
});
