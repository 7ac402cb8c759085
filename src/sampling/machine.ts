import type { Bounds } from '../pipeline/messages/flow.ts';
import { parsedRate } from '../pipeline/messages/rate.ts';
import { planOf } from '../pipeline/seed/seed.ts';
import type { Machine, PlannedMoment } from '../planning/here.ts';
import type { Range } from '../planning/range.ts';
import type { TaskFacts } from '../task.ts';
import type { World } from '../worlds/world.ts';
import { calibrate, type PipelineTime } from './calibrate.ts';
import type { Sample } from './sample.ts';

/** A run of this machine's workers. */
export interface RunHere {
  world: World;
  facts: TaskFacts;
  bounds: Bounds;
  /** Number of workers. */
  workers: number;
  /** Number of inputs. */
  inputs: number;
  /** Some of them. */
  texts: readonly string[];
  sample: Sample;
}

/**
 * Time between the starts of two inputs, with all workers, from which the pipeline's own time makes
 * less than a hundredth; in milliseconds.
 */
const SLOW_MS = 1;

/** Size of inputs for which that does not hold, in bytes. */
const LARGE_BYTES = 5_000;

/** The pipeline's own time, where it makes little. */
const usualMs: PipelineTime = (inputs) => inputs * 0.005;

/** The workers of this machine, and what the pipeline takes beside the task. */
export async function machineOf(run: RunHere): Promise<Machine> {
  const { facts, bounds, inputs, sample } = run;
  const { concurrency = Number.POSITIVE_INFINITY, rate } = bounds;
  const { flow, chunkItemsOf } = planOf(facts, bounds, run);
  const each = Math.min(facts.concurrency, concurrency);
  const most = Math.max(1, Math.floor(concurrency / each));
  const workers = Math.min(run.workers, flow?.lanes ?? run.workers, most);
  const parsed = rate === undefined ? undefined : parsedRate(rate);
  const pipelineMs = await pipelineOf(run, workers * each);
  return {
    workers,
    each,
    chunkItems: chunkItemsOf(inputs),
    startMs: sample.startMs,
    pipelineMs: pipelineMs(inputs),
    isMeasured: pipelineMs !== usualMs,
    cpuShare: sample.cpuShare ?? 0,
    ratePerSecond: parsed && (parsed.count * 1_000) / parsed.unitMs,
  };
}

/** Measures the pipeline alone, if it makes a difference. */
async function pipelineOf(
  { world, texts, inputs: all, sample: { inputs } }: RunHere,
  atOnce: number,
): Promise<PipelineTime> {
  const mean = (numbers: number[]) => numbers.reduce((sum, one) => sum + one, 0) / inputs.length;
  const bytes = mean(inputs.map(({ outputBytes }, at) => outputBytes + (texts[at]?.length ?? 0)));
  const isSlow = mean(inputs.map(({ ms }) => ms)) / atOnce >= SLOW_MS;
  if (isSlow && bytes < LARGE_BYTES) return usualMs;
  const like = await world.openLike?.();
  try {
    return like === undefined ? usualMs : await calibrate(like, texts, all);
  } finally {
    await like?.close();
  }
}

/** What limits a run here, in words. */
export function limitOf({ workers, each, pipelineMs }: Machine, seconds: Range): string {
  if (pipelineMs > seconds.likely * 500) {
    return 'Fanfold itself: the task takes less time than to send its inputs and to collect its results';
  }
  const of = workers === 1 ? 'one worker' : `${workers} workers`;
  return each === 1 ? `${of} here` : `${of} here, each with ${each} inputs at once`;
}

/** Workers and results over the time of a run here: all workers are there from its beginning. */
export function evenTimeline(
  { workers, startMs }: Machine,
  { likely }: Range,
  inputs: number,
): PlannedMoment[] {
  const begin = Math.min(startMs / 1000, likely);
  return [
    { atSeconds: 0, busyWorkers: 0, done: 0 },
    { atSeconds: begin, busyWorkers: workers, done: 0 },
    { atSeconds: likely, busyWorkers: workers, done: inputs },
  ];
}
