import { checkInputs, nameOfTask } from './checks.ts';
import { FanfoldError } from './errors.ts';
import type { Run } from './pipeline/collecting/run.ts';
import type { RunOptions } from './pipeline/collecting/run-options.ts';
import { describeSeed } from './pipeline/seeding/invoke-seed.ts';
import type { Inputs, JsonTexts } from './pipeline/seeding/pages.ts';
import {
  checkPlanOptions,
  type Plan,
  type PlannedSample,
  type PlanOptions,
} from './plan-options.ts';
import { timeHere } from './planning/here.ts';
import { planOnAws } from './planning/on-aws.ts';
import { randomFrom } from './planning/random.ts';
import { type PlannedPlace, placeOf } from './sampling/aws.ts';
import { evenTimeline, limitOf, machineOf } from './sampling/machine.ts';
import { readInputs } from './sampling/read-inputs.ts';
import { runSample, type Sample, type SampledInput } from './sampling/sample.ts';
import { type AnyTask, isTask, type TaskFacts } from './task.ts';
import { refuseUnknown, unknownTask } from './task-registry.ts';
import { planRun } from './worlds/planned/plan-run.ts';
import type { World } from './worlds/world.ts';

/** Inputs of a sample: 20 tell the mean of most tasks within a third, 200 within a tenth. */
const FIRST = 20;
const MOST = 200;

/** Time in which more inputs than the first ones are run, in milliseconds. */
const ENOUGH_MS = 10_000;

/** The same plan draws the same inputs. */
const SEED = 1;

/** The place of a plan. */
export interface Planned {
  world: World;
  map: (task: string, inputs: JsonTexts, options: RunOptions) => Run;
}

/** Plans a run: counts its inputs, runs some of them, and calculates what all of them would take. */
export async function makePlan(
  { world, map }: Planned,
  given: AnyTask | string,
  inputs: Inputs<unknown>,
  options: PlanOptions,
): Promise<Plan> {
  const task = nameOfTask(given);
  checkInputs(inputs);
  checkPlanOptions(options);
  const { sample: asked, signal, onCounted, onSampled, rate } = options;
  if (isTask(given)) world.add(given);
  refuseUnknown(task, world);
  const { lambda, names } = world.deployment;
  const { tasks, workers } = await describeSeed(lambda, names);
  const facts = tasks.find(({ name }) => name === task);
  if (facts === undefined) {
    throw unknownTask(
      task,
      tasks.map(({ name }) => name),
    );
  }
  const bounds = { concurrency: options.concurrency ?? facts.runConcurrency, rate };
  const place = await placeOf(world, options.aws, bounds, facts);
  const random = randomFrom(SEED);
  const counted = await readInputs(inputs, asked ?? MOST, random, signal);
  if (counted.inputs === 0) {
    throw new FanfoldError('BadInput', 'There are no inputs, so there is nothing to plan.');
  }
  onCounted?.({
    inputs: counted.inputs,
    sample: counted.drawn.length,
    mostUsd: options.aws ? undefined : mostUsdOf(counted.drawn.length, facts, place),
  });
  const sample = await runSample(counted.drawn, {
    map: (texts, how) => map(task, texts, how),
    options: { concurrency: options.concurrency, rate, ...(signal ? { signal } : {}) },
    measure: world.measure,
    first: asked ?? FIRST,
    enoughMs: asked === undefined ? ENOUGH_MS : Number.POSITIVE_INFINITY,
    onProgress: onSampled,
  });
  refuseFailed(sample);
  const number = counted.inputs;
  const texts = counted.drawn.map(({ text }) => text);
  const known = {
    ...{ task, inputs: number, inputBytes: counted.bytes, sample: about(sample) },
    notes: place?.notes ?? [],
  };
  if (place) {
    const { deployment, prices } = place;
    const planned = await planOnAws(
      {
        ...{ inputs: number, inputBytes: counted.bytes / number, deployment, prices },
        sample: sample.inputs.map((input) => ({ ...input, ms: input.ms / input.attempts })),
        sampledAt: {
          memoryMb: options.aws ? undefined : deployment.memoryMb,
          cpuShare: sample.cpuShare,
        },
        peakMemoryMb: known.sample.peakMemoryMb,
      },
      planRun,
      random,
    );
    return { ...known, workers: deployment.maxConcurrency, ...planned };
  }
  const machine = await machineOf({ world, facts, bounds, workers, inputs: number, texts, sample });
  const { seconds, limitedByRate } = timeHere(sample.inputs, number, machine, random);
  return {
    ...known,
    ...{ workers: machine.workers, seconds, aws: undefined },
    timeline: evenTimeline(machine, seconds, number),
    limitedBy: limitedByRate ? `the rate, ${rate}` : limitOf(machine, seconds),
  };
}

/** What the functions' time for a sample costs if each attempt takes its whole time limit. */
function mostUsdOf(
  inputs: number,
  { maxAttempts, timeoutSeconds }: TaskFacts,
  place: PlannedPlace | undefined,
): number | undefined {
  if (place === undefined) return undefined;
  const { region, memoryMb, architecture } = place.deployment;
  const gbSeconds = inputs * maxAttempts * timeoutSeconds * (memoryMb / 1_024);
  return gbSeconds * (place.prices.of(region)?.lambda.gbSecond[architecture] ?? 0);
}

/** @throws FanfoldError `TaskFailed` for a sample of which nothing is known but errors */
function refuseFailed({ inputs, failures }: Sample): void {
  if (inputs.some(({ ok }) => ok)) return;
  const [kind = 'no error is known'] = failures.keys();
  throw new FanfoldError(
    'TaskFailed',
    `All ${inputs.length} inputs of the sample failed, so nothing is planned: ${kind}. Correct the task or its inputs first.`,
  );
}

function about({ inputs, failures, tookMs, cpuShare, peakBytes, usd }: Sample): PlannedSample {
  const sorted = inputs.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  const mean = (of: (input: SampledInput) => number) =>
    inputs.reduce((sum, input) => sum + of(input), 0) / inputs.length;
  const ok = inputs.filter((input) => input.ok).length;
  return {
    inputs: inputs.length,
    ok,
    failed: inputs.length - ok,
    failures: [...failures.keys()],
    attempts: mean(({ attempts }) => attempts),
    ms: { mean: mean(({ ms }) => ms), p50: at(0.5), p95: at(0.95), max: at(1) },
    outputBytes: mean(({ outputBytes }) => outputBytes),
    cpuShare,
    peakMemoryMb: peakBytes && peakBytes / 1e6,
    seconds: tookMs / 1_000,
    usd,
  };
}
