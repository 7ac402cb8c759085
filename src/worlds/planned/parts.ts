import { chunkItemsFor } from '../../pipeline/messages/chunk.ts';
import { eventSourceConcurrency } from '../../planning/model.ts';
import type { PlanRequest } from '../../planning/planned-run.ts';
import type { Counts } from './bill.ts';
import { type Moment, type Simulated, type Simulation, workersOf } from './simulate.ts';

/** Requests that a simulation may take, about: a thousand take half a second. */
const MOST_REQUESTS = 4_000;

/** Requests that take as long to simulate as an input. */
const REQUESTS_EACH_INPUT = 0.1;

/** Requests for a message of results, for a chunk, for another attempt, and for a worker's start. */
const REQUESTS = { message: 1.9, chunk: 4, attempt: 4, worker: 10 };

/** Smallest number of workers that stand for others. */
const FEWEST_WORKERS = 10;

/** How long a worker gathers results, in milliseconds: `src/pipeline/working/report.ts`. */
const GATHER_MS = { least: 500, eachWorker: 5, most: 30_000 };

/** A worker keeps a chunk for so long, in milliseconds. */
const SLICE_MS = 60_000;

/** Chunks that each simulated worker gets at least. */
const CHUNKS_EACH = 2;

/** The part of a run that is simulated. */
export interface Part {
  /** Share of the workers. */
  share: number;
  simulated: Pick<Simulation, 'inputs' | 'deployment' | 'part'>;
}

/** Whether a part is not the whole run. */
export function isPart({ share, simulated }: Part, { inputs }: PlanRequest): boolean {
  return share < 1 || simulated.inputs < inputs;
}

/** The part of a run that a simulation has time for: all of a small one. */
export function partOf({ inputs, sample, deployment }: PlanRequest): Part {
  const { maxConcurrency, burst, concurrency = 1, rate } = deployment;
  const mean = (sum: number) => sum / sample.length;
  const attempts = mean(sample.reduce((sum, one) => sum + one.attempts, 0));
  const inputMs = mean(sample.reduce((sum, one) => sum + one.ms * one.attempts, 0)) / concurrency;
  const workers = workersOf(deployment);
  const chunk = chunkItemsFor(inputs, maxConcurrency, concurrency);
  const gatherMs = Math.min(
    GATHER_MS.most,
    Math.max(GATHER_MS.least, workers * GATHER_MS.eachWorker),
  );
  const inMessage = Math.max(1, Math.min(chunk, gatherMs / Math.max(inputMs, 0.01)));
  const requestsEach =
    REQUESTS.message / inMessage + REQUESTS.chunk / chunk + REQUESTS.attempt * (attempts - 1);
  const each = requestsEach + REQUESTS_EACH_INPUT;
  const load = inputs * each + workers * REQUESTS.worker;
  if (load <= MOST_REQUESTS) return { share: 1, simulated: { inputs, deployment } };
  // Lanes share a rate, and their number follows from the workers.
  const fewest = rate === undefined ? FEWEST_WORKERS : workers;
  const some = Math.min(workers, Math.max(fewest, Math.round((workers * MOST_REQUESTS) / load)));
  const share = some / workers;
  const inChunk = Math.min(chunk, Math.ceil(SLICE_MS / Math.max(inputMs, 0.01)));
  const least = some * CHUNKS_EACH * inChunk;
  const part = Math.round(
    Math.min(inputs * share, Math.max(least, (MOST_REQUESTS - some * REQUESTS.worker) / each)),
  );
  const scaled = {
    ...deployment,
    maxConcurrency: Math.max(some, Math.round(maxConcurrency * share)),
    burst: Math.round(burst * share),
    accountConcurrency: some,
  };
  const whole = { workers: maxConcurrency, inputs };
  return {
    share,
    simulated: { inputs: Math.max(1, part), deployment: scaled, part: { share, whole } },
  };
}

/** Shares of the results between which the workers' pace is steady. */
const STEADY = { from: 0.3, to: 0.85 };

/**
 * The whole run that a simulated part stands for.
 *
 * @param collected requests of the collector for each message of results. @default as simulated
 */
export function extrapolated(
  request: PlanRequest,
  { share, simulated: { inputs } }: Part,
  simulated: Simulated,
  collected?: number,
): Simulated {
  const { moments, counts, allSeconds, peak } = simulated;
  const [from, to] = steady(simulated, inputs);
  const done = Math.max(1, to.done - from.done);
  const left = Math.max(0, request.inputs - inputs / share);
  const perSecond = done / Math.max(1, to.at - from.at) / share;
  const busy = (from.busy + to.busy) / 2 / share;
  const extra =
    left === 0
      ? 0
      : secondsFor(left, { at: to.at, perSecond, busy, hasAll: allSeconds !== undefined }, request);
  const more = (name: keyof Counts) => ((to.counts[name] - from.counts[name]) / done) * left;
  const total = {} as Counts;
  for (const name of Object.keys(counts) as (keyof Counts)[]) {
    // There is one collector, however many workers there are.
    const times = name === 'collectorOther' ? 1 : 1 / share;
    total[name] = counts[name] * times + more(name);
  }
  if (collected !== undefined) total.collected = total.messages * collected;
  const whole = moments.map((moment) => ({
    ...moment,
    busy: moment.busy / share,
    done: moment.done / share + (moment.at > to.at ? left : 0),
    at: moment.at + (moment.at > to.at ? extra : 0),
  }));
  return {
    moments: whole,
    seconds: simulated.seconds + extra,
    workSeconds: simulated.workSeconds + extra,
    allSeconds,
    peak: Math.round(peak / share),
    counts: total,
  };
}

/** Two moments between which the pace is steady. */
function steady({ moments, allSeconds = 0 }: Simulated, inputs: number): [Moment, Moment] {
  const [first] = moments;
  const last = moments.at(-1);
  if (first === undefined || last === undefined) throw new Error('Nothing was simulated.');
  const to = moments.findLast(({ done }) => done <= inputs * STEADY.to) ?? last;
  const isBefore = ({ at }: Moment) => at < to.at - 1;
  const from =
    moments.find(
      (one) => one.at >= allSeconds && one.done >= inputs * STEADY.from && isBefore(one),
    ) ??
    moments.find((one) => one.done >= inputs * STEADY.from && isBefore(one)) ??
    first;
  return from.done < to.done ? [from, to] : [first, last];
}

/** Seconds that the inputs left out take. */
function secondsFor(
  inputs: number,
  pace: { at: number; perSecond: number; busy: number; hasAll: boolean },
  { deployment }: PlanRequest,
): number {
  const { rate, maxConcurrency, burst } = deployment;
  if (rate !== undefined || pace.hasAll || pace.busy === 0) return inputs / pace.perSecond;
  const each = pace.perSecond / pace.busy;
  const workers = (at: number) =>
    Math.min(workersOf(deployment), burst + eventSourceConcurrency(at, maxConcurrency - burst));
  let left = inputs;
  let seconds = 0;
  while (left > 0) {
    const perSecond = each * Math.max(1, workers(pace.at + seconds));
    if (workers(pace.at + seconds) === workersOf(deployment)) return seconds + left / perSecond;
    seconds += Math.min(1, left / perSecond);
    left -= perSecond;
  }
  return seconds;
}

/** Most workers that send messages to the collector, and the messages of each. */
const SENDERS = 150;
const MESSAGES_EACH = 12;

/** A run whose collector receives messages at the rate of another one, for a while. */
export function collectorOf({ counts, workSeconds }: Simulated): Simulation {
  const perSecond = counts.messages / Math.max(1, workSeconds);
  const senders = Math.max(1, Math.min(SENDERS, Math.round((perSecond * GATHER_MS.least) / 1_000)));
  const ms = Math.max(GATHER_MS.least, (senders / Math.max(0.1, perSecond)) * 1_000);
  const outputBytes = Math.max(2, Math.round(counts.egressBytes / counts.messages) - 300);
  return {
    ...{ inputs: senders * MESSAGES_EACH, inputBytes: 10, seed: 1 },
    sample: [{ ms, attempts: 1, outputBytes, ok: true }],
    deployment: {
      ...{ region: 'us-east-1', memoryMb: 1_024, architecture: 'arm64' },
      ...{ maxConcurrency: senders + 2, burst: senders },
    },
  };
}
