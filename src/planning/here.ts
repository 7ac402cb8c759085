import { FreeTimes } from './free-times.ts';
import { drawBelow, drawNormal, type Random } from './random.ts';
import { type Range, rangeOf } from './range.ts';

/** What a sampled input took, over all of its attempts. */
export interface Sampled {
  /** Sum of the durations of its attempts, in milliseconds. */
  ms: number;
  /** Time from the start of the first attempt to the end of the last, in milliseconds. */
  spanMs: number;
  attempts: number;
}

/** Workers of this machine, and what the pipeline adds to the tasks' own time. */
export interface Machine {
  workers: number;
  /** Inputs that a worker runs at once. */
  each: number;
  /** Inputs of a chunk. */
  chunkItems: number;
  /** From the run's beginning to its first input, in milliseconds. */
  startMs: number;
  /** The pipeline's own time for all inputs, in milliseconds. */
  pipelineMs: number;
  /** Whether that was measured, with the gaps between chunks. @default false */
  isMeasured?: boolean;
  /** Share of the inputs' time in which a processor works for them: that of two adds up. */
  cpuShare: number;
  /** Attempts that may start in a second. @default any number */
  ratePerSecond?: number | undefined;
}

/** A run at one time. */
export interface PlannedMoment {
  /** Seconds since the beginning of the run. */
  readonly atSeconds: number;
  /** Workers that run inputs. */
  readonly busyWorkers: number;
  /** Inputs with a result. */
  readonly done: number;
}

export interface TimeHere {
  /** Seconds from the beginning of the run to its last result. */
  seconds: Range;
  /** Share of that time in which a rate held the run up, from 0 to 1. */
  limitedByRate: boolean;
}

const RESAMPLES = 300;

/**
 * Time of a worker between two chunks, in milliseconds: it reports the one, deletes it, and receives
 * the next. Measured with tasks of 4 to 20 ms: 2 to 4 ms.
 */
const CHUNK_GAP_MS = 3;

/** Time between two inputs of a chunk, as a share of theirs, measured with the same tasks. */
const INPUT_GAP = 0.01;

/** Time that a chunk is kept: after that, the rest is given back, in parts. See `worlds/world.ts`. */
const SLICE_MS = 5_000;

/** Inputs that are drawn for a resample. Of more, the rest takes as long on average. */
const DRAWS = 10_000;

/**
 * Standard deviation of how much the same run differs from one time to another, as a share: the
 * machine has other work, and its speed varies. Measured by `npm run bench -- plan`.
 */
const DIFFERENCE = 0.08;

/** Time of an input below which the first calls of a task say little, in milliseconds. */
const COLD_MS = 0.1;

/** The time of a run on this machine, by resampling what a sample of its inputs took. */
export function timeHere(
  given: readonly Sampled[],
  inputs: number,
  machine: Machine,
  random: Random,
): TimeHere {
  const sample = warmed(given);
  const times: number[] = [];
  let limited = 0;
  for (let at = 0; at < RESAMPLES; at++) {
    const drawn = resampled(sample, inputs, random);
    const { ms, isLimited } = runOnce(drawn, sample, inputs, machine, random);
    times.push((ms * Math.exp(drawNormal(random) * DIFFERENCE)) / 1000);
    if (isLimited) limited++;
  }
  return { seconds: rangeOf(times), limitedByRate: limited > RESAMPLES / 2 };
}

/** A task that takes microseconds is slow until V8 has compiled it, which all inputs pay for once. */
function warmed(sample: readonly Sampled[]): readonly Sampled[] {
  const median = sample.map(({ ms }) => ms).toSorted((a, b) => a - b)[sample.length >> 1] ?? 0;
  if (median >= COLD_MS) return sample;
  return sample.map((input) => ({ ...input, ms: Math.min(input.ms, 3 * median) }));
}

/** A bootstrap resample. What is known of all inputs is no matter of chance. */
function resampled(sample: readonly Sampled[], inputs: number, random: Random): Sampled[] {
  if (sample.length >= inputs) return [...sample];
  return sample.map(() => oneOf(sample, random));
}

function oneOf(sample: readonly Sampled[], random: Random): Sampled {
  const drawn = sample[drawBelow(sample.length, random)];
  if (drawn === undefined) throw new RangeError('The sample is empty.');
  return drawn;
}

/** One possible run: inputs as those that were sampled, and others as the resample has them. */
function runOnce(
  drawn: readonly Sampled[],
  sample: readonly Sampled[],
  inputs: number,
  machine: Machine,
  random: Random,
): { ms: number; isLimited: boolean } {
  const { workers, each, startMs, pipelineMs, cpuShare, ratePerSecond } = machine;
  const gapMs = machine.isMeasured ? 0 : CHUNK_GAP_MS;
  const chunkItems = keptItems(drawn, machine);
  const chunks = Math.ceil(inputs / chunkItems);
  const simulated = Math.min(chunks, Math.max(2 * workers, Math.ceil(DRAWS / chunkItems)));
  const known = new Known(sample, inputs, random);
  const free = new FreeTimes(workers);
  let attempts = 0;
  let lastRetryMs = 0;
  let runs = 0;
  for (let chunk = 0; chunk < simulated; chunk++) {
    const items = Math.min(chunkItems, inputs - chunk * chunkItems);
    const lanes = new FreeTimes(Math.min(each, items));
    let cpuMs = 0;
    for (let item = 0; item < items; item++) {
      const input = known.next() ?? oneOf(drawn, random);
      runs++;
      attempts += input.attempts;
      cpuMs += input.ms * cpuShare;
      const begunMs = free.first + lanes.add(input.ms * (1 + INPUT_GAP));
      // Between its attempts, others run.
      if (input.attempts > 1) lastRetryMs = Math.max(lastRetryMs, begunMs + input.spanMs);
    }
    // A worker's code runs on one thread.
    free.add(Math.max(lanes.last, cpuMs) + gapMs);
  }
  const scale = inputs / runs;
  const isWhole = runs === inputs;
  // Of a part of the chunks, the end is like that of all of them.
  const endMs = isWhole ? free.last : free.mean * scale + (free.last - free.mean);
  const busyMs = isWhole ? Math.max(endMs, lastRetryMs) : endMs;
  const taskMs = busyMs + pipelineMs;
  const pacedMs = ratePerSecond === undefined ? 0 : (attempts * scale * 1000) / ratePerSecond;
  return { ms: startMs + Math.max(taskMs, pacedMs), isLimited: pacedMs > taskMs };
}

/** Inputs that a worker runs of a chunk before it gives the rest back. */
function keptItems(drawn: readonly Sampled[], { chunkItems, each }: Machine): number {
  const meanMs = drawn.reduce((sum, { ms }) => sum + ms, 0) / drawn.length;
  return Math.max(1, Math.min(chunkItems, Math.ceil((SLICE_MS / meanMs) * each)));
}

/** The inputs that were sampled, at random places among all inputs. */
class Known {
  readonly #left: Sampled[];
  readonly #random: Random;
  #inputs: number;

  constructor(sample: readonly Sampled[], inputs: number, random: Random) {
    this.#left = [...sample];
    this.#inputs = inputs;
    this.#random = random;
  }

  /** What is known of the next input; undefined for an input that was not sampled. */
  next(): Sampled | undefined {
    const isKnown = this.#random() * this.#inputs-- < this.#left.length;
    return isKnown ? this.#left.pop() : undefined;
  }
}
