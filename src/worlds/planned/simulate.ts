import { FanfoldError, NonRetryableError } from '../../errors.ts';
import { powertoolsLog } from '../../handlers/powertools-log.ts';
import { powertoolsMetrics } from '../../handlers/powertools-metrics.ts';
import { Run } from '../../pipeline/collecting/run.ts';
import type { RateText } from '../../pipeline/messages/rate.ts';
import { ACCOUNT_CONCURRENCY, BUNDLE_BYTES } from '../../planning/model.ts';
import type { PlannedDeployment, SampledInput } from '../../planning/planned-run.ts';
import { defineTask } from '../../task.ts';
import { TaskRegistry } from '../../task-registry.ts';
import { Activity } from './activity.ts';
import { Behaviour } from './behaviour.ts';
import type { Counts } from './bill.ts';
import { VirtualClock, VirtualTimer } from './clock.ts';
import { Random } from './random.ts';
import { type VirtualStackOptions, virtualStack } from './stack.ts';

/** A run to simulate. */
export interface Simulation {
  inputs: number;
  inputBytes: number;
  sample: readonly SampledInput[];
  deployment: PlannedDeployment;
  seed: number;
  part?: VirtualStackOptions['part'];
}

/** The state of a simulated run at one time. */
export interface Moment {
  /** Seconds since the run's start. */
  at: number;
  busy: number;
  /** Number of results that the collector has received. */
  done: number;
  counts: Counts;
}

/** A simulated run. */
export interface Simulated {
  /** Every second, and at the end. */
  moments: Moment[];
  /** Seconds until all results were collected. */
  seconds: number;
  /** Seconds until the last input ended. */
  workSeconds: number;
  allSeconds: number | undefined;
  peak: number;
  /** What was billed in all, when burst workers have ended, too. */
  counts: Counts;
}

/** Attempts that a task may have at most. */
const MOST_ATTEMPTS = 100;

/** Longest attempt that fits in an invocation with its report, in seconds. */
const LONGEST_SECONDS = 780;

/** A task's default timeout, in seconds. */
const TIMEOUT_SECONDS = 60;

/** Time in which burst workers end after the last input, in milliseconds. */
const AFTER_MS = 15_000;

/** Result or input that no message holds is an object, for which a message has about this many bytes. */
const REFERENCE_BYTES = 200;

/** Bytes of JSON text that a message of results holds, with a margin. */
export const MOST_BYTES = 1_000_000;

/** Runs inputs in virtual time. Takes over the timers, the clock and the output of its thread. */
export async function simulate(simulation: Simulation): Promise<Simulated> {
  const { inputs, inputBytes, deployment, seed, part } = simulation;
  const { maxConcurrency, burst, memoryMb, bundleBytes = BUNDLE_BYTES } = deployment;
  const random = new Random(seed);
  Math.random = () => random.next();
  process.env.POWERTOOLS_SERVICE_NAME = 'Planned';
  const clock = new VirtualClock(Date.UTC(2027, 0, 1), VirtualTimer);
  const outputs = [process.stdout, process.stderr];
  const writes = outputs.map((output) => output.write);
  clock.install();
  try {
    const all = workersOf(deployment);
    const activity = new Activity(all);
    const account = deployment.accountConcurrency ?? ACCOUNT_CONCURRENCY;
    const share = part?.share ?? 1;
    const stack = await virtualStack({
      ...{ maxConcurrency, burst, memoryMb },
      tasks: registryOf(simulation, activity),
      watching: watchingOnce(),
      behaviour: new Behaviour({ random, bundleBytes, share }),
      ...(part === undefined ? {} : { part }),
      workerConcurrency: Math.max(1, account - burst),
    });
    for (const output of outputs) {
      output.write = (line: unknown) => {
        stack.bill.logBytes += Buffer.byteLength(String(line));
        return true;
      };
    }
    const startedAt = performance.now();
    const text = 'x'.repeat(Math.max(0, fitting(inputBytes) - 2));
    const list = Array.from({ length: inputs }, () => text);
    const rate = rateText(deployment.rate);
    const run = new Run(stack.deployment, 'planned', list, rate === undefined ? {} : { rate });
    const moments: Moment[] = [];
    let done = 0;
    let collectedAt: number | undefined;
    let failure: unknown;
    const moment = () => {
      const at = (performance.now() - startedAt) / 1000;
      moments.push({ at, busy: activity.count(), done, counts: stack.bill.counts });
    };
    const watch = setInterval(moment, 1_000);
    const collect = async () => {
      for await (const batch of run.batches()) done += batch.count;
      collectedAt = performance.now();
    };
    collect().catch((error: unknown) => {
      failure = error;
    });
    await clock.pass(() => collectedAt !== undefined || failure !== undefined);
    clearInterval(watch);
    if (failure !== undefined) throw failure;
    moment();
    const endsAt = performance.now() + AFTER_MS;
    await clock.pass(() => performance.now() >= endsAt);
    let isClosed = false;
    void stack.close().finally(() => {
      isClosed = true;
    });
    await clock.pass(() => isClosed);
    const secondsAt = (ms: number) => (ms - startedAt) / 1000;
    return {
      moments,
      seconds: secondsAt(collectedAt ?? 0),
      workSeconds: secondsAt(activity.lastAt),
      allSeconds: activity.allAt === undefined ? undefined : secondsAt(activity.allAt),
      peak: activity.peak,
      counts: stack.bill.counts,
    };
  } finally {
    for (const [at, output] of outputs.entries()) output.write = writes[at] ?? output.write;
    clock.uninstall();
  }
}

/** Workers that a deployment can have at once. */
export function workersOf(deployment: PlannedDeployment): number {
  const { maxConcurrency, accountConcurrency = ACCOUNT_CONCURRENCY } = deployment;
  return Math.min(maxConcurrency, accountConcurrency);
}

/** All environments share them: they are of one process here. */
function watchingOnce(): VirtualStackOptions['watching'] {
  const [log, metrics] = [powertoolsLog(), powertoolsMetrics()];
  return () => ({ log, metrics });
}

function fitting(bytes: number): number {
  return bytes > MOST_BYTES ? REFERENCE_BYTES : bytes;
}

function rateText(rate: number | undefined): RateText | undefined {
  if (rate === undefined) return undefined;
  if (rate >= 1) return `${rate}/s`;
  return rate * 60 >= 1 ? `${rate * 60}/m` : `${rate * 3_600}/h`;
}

/** Makes the task of each environment, whose inputs behave like those of the sample. */
function registryOf(
  { sample, deployment, seed }: Simulation,
  activity: Activity,
): () => TaskRegistry {
  const longest = Math.max(...sample.map(({ ms }) => ms)) / 1000;
  const outputs = sample.map(({ outputBytes }) =>
    'x'.repeat(Math.max(0, fitting(outputBytes) - 2)),
  );
  const most = Math.max(...sample.map(({ attempts }) => attempts));
  return () => {
    const within = activity.environment();
    const task = defineTask({
      name: 'planned',
      concurrency: deployment.concurrency ?? 1,
      maxAttempts: Math.min(MOST_ATTEMPTS, most + 1),
      timeoutSeconds: Math.max(TIMEOUT_SECONDS, Math.min(LONGEST_SECONDS, Math.ceil(longest) + 10)),
      run: (_input: unknown, { index, attempt }) =>
        within(async () => {
          const at = placeOf(index, seed, sample.length);
          const like = sample[at];
          if (like === undefined) throw new FanfoldError('BadOption', 'The sample is empty.');
          // The clock has whole milliseconds.
          const ms = Math.floor(Math.min(like.ms, LONGEST_SECONDS * 1000) + Math.random());
          if (ms > 0) {
            await new Promise((resolve) => setTimeout(resolve, ms));
          }
          if (attempt < Math.min(MOST_ATTEMPTS, like.attempts)) throw new Error('It failed.');
          if (!like.ok) throw new NonRetryableError('It failed.');
          return outputs[at];
        }),
    });
    return TaskRegistry.fromModule({ task });
  };
}

/** The place of an input in the sample: the same for each attempt. Each place has as many inputs. */
function placeOf(index: number, seed: number, length: number): number {
  const round = Math.floor(index / length);
  // A different order each round, so that no chunk has only long ones.
  const shift = Math.floor(new Random(seed ^ Math.imul(round + 1, 0x9e3779b1)).next() * length);
  return (index + shift) % length;
}
