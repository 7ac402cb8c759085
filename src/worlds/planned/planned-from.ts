import type { Limit, PlannedMoment, PlannedRun, PlanRequest } from '../../planning/planned-run.ts';
import { noUsage, type Usage } from '../../planning/usage.ts';
import type { Counts } from './bill.ts';
import { MOST_BYTES, type Moment, type Simulated, workersOf } from './simulate.ts';

/** Moments of a timeline. */
const MOMENTS = 100;

/** Memory of the seed, in MiB. */
const SEED_MB = 1_024;

/** The plan that follows from a simulated run. @param inputs those that were simulated */
export function plannedFrom(
  request: PlanRequest,
  simulated: Simulated,
  inputs: number,
): PlannedRun {
  const { seconds, allSeconds, peak, moments, counts } = simulated;
  return {
    seconds,
    usage: usageOf(request, counts),
    logBytes: Math.round(counts.logBytes),
    timeline: timelineOf(moments),
    secondsToAllWorkers: allSeconds,
    limitedBy: limitOf(request, simulated),
    peakWorkers: peak,
    simulated: inputs,
  };
}

function usageOf({ inputs, inputBytes, sample, deployment }: PlanRequest, counts: Counts): Usage {
  const usage = noUsage();
  const { memoryMb, architecture } = deployment;
  usage.gbSeconds[architecture] =
    ((counts.seedMs / 1000) * SEED_MB + (counts.workerMs / 1000) * memoryMb) / 1024;
  usage.invocations = Math.round(counts.invocations);
  usage.sqs = {
    standard: Math.round(counts.standard + counts.collected + counts.collectorOther),
    fair: Math.round(counts.fair),
    fifo: Math.round(counts.fifo),
  };
  usage.transferBytes = Math.round(counts.egressBytes);
  // A value that no message holds is put in a bucket once, and fetched once.
  const large = sample.filter(({ ok, outputBytes }) => ok && outputBytes > MOST_BYTES);
  const each = inputs / sample.length;
  const objects = Math.round(large.length * each) + (inputBytes > MOST_BYTES ? inputs : 0);
  usage.s3 = { put: objects, get: objects };
  usage.transferBytes += Math.round(large.reduce((sum, one) => sum + one.outputBytes, 0) * each);
  return usage;
}

function timelineOf(moments: readonly Moment[]): PlannedMoment[] {
  const each = Math.max(1, Math.ceil(moments.length / (MOMENTS - 1)));
  return moments
    .filter((_, at) => at % each === 0 || at === moments.length - 1)
    .map(({ at, busy, done }) => ({
      atSeconds: at,
      busyWorkers: Math.round(busy),
      done: Math.round(done),
    }));
}

/** Share of the run's time from which a part of it limits the run. */
const MUCH = 0.25;

/** Share of a rate from which it limits a run, whose workers take a while to start. */
const MOST = 0.7;

/** Share of a limit that counts as all of it. */
const ALMOST = 0.9;

function limitOf({ inputs, deployment }: PlanRequest, simulated: Simulated): Limit {
  const { seconds, workSeconds, allSeconds, peak } = simulated;
  const { rate, maxConcurrency, concurrency = 1 } = deployment;
  if (rate !== undefined && inputs / workSeconds > rate * MOST) return 'the rate';
  if (seconds - workSeconds > MUCH * seconds) return 'the collector';
  const workers = workersOf(deployment);
  if (peak < workers * ALMOST) {
    return inputs <= workers * concurrency ? 'the number of inputs' : 'the start of workers';
  }
  if (allSeconds !== undefined && allSeconds > seconds / 2) return 'the start of workers';
  return workers < maxConcurrency ? "the account's concurrency" : 'the maximum concurrency';
}
