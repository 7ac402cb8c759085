import type { SampledInput } from '../src/planning/planned-run.ts';
import { simulateApart } from '../src/worlds/planned/simulator.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { atMost, seconds } from './format.ts';

const WORKERS = 1_000;

/** The event source starts the rest, of which it needs two. */
const BURST = WORKERS - 2;

const GOAL_SECONDS = 12;

/** Longer than any start of workers. */
const SAMPLE: readonly SampledInput[] = [{ ms: 300_000, attempts: 1, outputBytes: 10, ok: true }];

/** Time until a thousand workers are busy: workers that the seed starts, and the event source. */
export const ramp: Benchmark = {
  name: 'ramp',
  about:
    'time to 1,000 busy workers on AWS, by its model, in virtual time: burst beside the event source alone',
  async run() {
    const [burst, eventSource] = [await allBusy(BURST), await allBusy(0)];
    const figure: Figure = {
      what: 'to 1,000 busy workers; baseline: the event source alone',
      ours: seconds(burst),
      baseline: seconds(eventSource),
      goal: atMost(burst, GOAL_SECONDS, seconds),
    };
    return [figure];
  },
};

async function allBusy(burst: number): Promise<number> {
  const { allSeconds } = await simulateApart({
    ...{ inputs: WORKERS + 100, inputBytes: 10, sample: SAMPLE, seed: 1 },
    deployment: {
      ...{ region: 'us-east-1', memoryMb: 1_024, architecture: 'arm64' },
      ...{ maxConcurrency: WORKERS, burst, accountConcurrency: 2 * WORKERS },
    },
  });
  if (allSeconds === undefined) throw new Error('Expected a thousand busy workers.');
  return allSeconds;
}
