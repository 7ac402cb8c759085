import type { PlannedDeployment } from './planned-run.ts';

/** Time and cost of a run. */
export interface Outcome {
  /** Seconds to the last result. */
  seconds: number;
  /** US dollars. */
  usd: number;
}

/** The run with some concurrency and memory. */
export interface Size extends Outcome {
  /** Memory of a worker, in MiB. */
  memoryMb: number;
  maxConcurrency: number;
  burst: number;
  isPlanned: boolean;
  isCheapest: boolean;
  isFastest: boolean;
}

/** Common sizes of memory, in MiB: with the first, a function has a whole processor. */
const MEMORIES = [1_769, 512, 1_024, 256, 3_008];

/** Concurrencies to compare, as multiples of the planned one. */
const MULTIPLES = [2, 0.5, 4, 0.25];

const LEAST_CONCURRENCY = 2;
const MOST_CONCURRENCY = 1_000;

/** Workers that an event source has at least. */
const LEAST_SCALED = 2;

/** Memory that a function needs beyond the peak that a worker had, as a factor. */
const ROOM = 1.2;

/**
 * Deployments to compare with a planned one, the most telling first: other concurrencies, and, if the
 * effect of memory is known, other memories that are enough.
 */
export function otherDeployments(
  planned: PlannedDeployment,
  { peakMemoryMb, cpuShare }: { peakMemoryMb?: number | undefined; cpuShare?: number | undefined },
): PlannedDeployment[] {
  const concurrencies = MULTIPLES.map((multiple) => Math.round(planned.maxConcurrency * multiple))
    .filter((one) => one >= LEAST_CONCURRENCY && one <= MOST_CONCURRENCY)
    .map((maxConcurrency) => {
      const share = planned.burst / planned.maxConcurrency;
      const burst = Math.min(maxConcurrency - LEAST_SCALED, Math.round(maxConcurrency * share));
      return { ...planned, maxConcurrency, burst };
    });
  if (cpuShare === undefined) return concurrencies;
  const enough = (peakMemoryMb ?? 0) * ROOM;
  const memories = MEMORIES.filter((mb) => mb >= enough && mb !== planned.memoryMb);
  const sized = memories.map((memoryMb) => ({ ...planned, memoryMb }));
  const both = Math.max(sized.length, concurrencies.length);
  return Array.from({ length: both }, (_, at) => [concurrencies[at], sized[at]])
    .flat()
    .filter((one) => one !== undefined);
}

/** Marks the cheapest and the fastest size. The first is the planned one. */
export function marked(
  sizes: readonly { deployment: PlannedDeployment; outcome: Outcome }[],
): Size[] {
  const least = (of: (outcome: Outcome) => number) =>
    Math.min(...sizes.map(({ outcome }) => of(outcome)));
  const [usd, seconds] = [least((one) => one.usd), least((one) => one.seconds)];
  return sizes.map(({ deployment: { memoryMb, maxConcurrency, burst }, outcome }, at) => ({
    ...{ memoryMb, maxConcurrency, burst },
    ...outcome,
    isPlanned: at === 0,
    isCheapest: outcome.usd === usd,
    isFastest: outcome.seconds === seconds,
  }));
}
