import { type CostItems, costOf } from './cost.ts';
import { costElsewhere, type Elsewhere } from './elsewhere.ts';
import { atMemory, type SampledAt } from './memory.ts';
import { marked, type Outcome, otherDeployments, type Size } from './other-sizes.ts';
import type {
  Limit,
  PlannedDeployment,
  PlannedMoment,
  PlannedRun,
  PlanRequest,
  SampledInput,
} from './planned-run.ts';
import type { PriceTable } from './price-table.ts';
import type { Random } from './random.ts';
import type { Range } from './range.ts';
import { lowAndHigh, workOf } from './resamples.ts';
import type { Usage } from './usage.ts';

/** Simulates a run on AWS. */
export type Predict = (request: PlanRequest) => Promise<PlannedRun>;

/** US dollars by item. */
export interface PlannedItems extends CostItems {
  /** Lines that the functions log; 0 in a region whose price for them is not known. */
  logs: number;
}

/** What a run on AWS would cost, and with which workers. */
export interface PlannedOnAws {
  deployment: PlannedDeployment;
  /** US dollars in all. */
  usd: Range;
  /** US dollars by item. */
  items: { [Item in keyof PlannedItems]: Range };
  /** What the likely cost is for. */
  counted: Usage;
  peakWorkers: number;
  /** Seconds until all workers are busy; undefined if they never are. */
  secondsToAllWorkers: number | undefined;
  /** This size, and others. */
  sizes: Size[];
  /** What the same work costs with other systems. */
  elsewhere: Elsewhere[];
  /** What is not in the cost. */
  excluded: readonly string[];
  /** Month of the prices. */
  pricesOf: string;
}

/** A plan of a run on AWS. */
export interface AwsPlan {
  /** Seconds from the call to the last result. */
  seconds: Range;
  /** Busy workers, and results, over time. */
  timeline: readonly PlannedMoment[];
  limitedBy: Limit;
  aws: PlannedOnAws;
}

/** A run to plan on AWS. */
export interface AwsQuestion {
  inputs: number;
  /** Mean size of an input, in bytes. */
  inputBytes: number;
  sample: readonly SampledInput[];
  sampledAt: SampledAt;
  /** Peak memory of a worker, in MB; undefined if it is not known. */
  peakMemoryMb: number | undefined;
  deployment: PlannedDeployment;
  /** They are known of the deployment's region. */
  prices: PriceTable;
}

/** Time of a simulation up to which the resamples are simulated, too, in milliseconds. */
const QUICK_MS = 10_000;

/** Time in which further sizes are simulated, in milliseconds. */
const ENOUGH_MS = 30_000;

/** Plans a run on AWS: its time and cost with ranges, those of other sizes, and of other systems. */
export async function planOnAws(
  question: AwsQuestion,
  predict: Predict,
  random: Random,
): Promise<AwsPlan> {
  const { inputs, inputBytes, deployment, sample, sampledAt, prices } = question;
  const run = (of: readonly SampledInput[], on: PlannedDeployment) =>
    predict({ inputs, inputBytes, sample: atMemory(of, sampledAt, on.memoryMb), deployment: on });
  const startedAt = performance.now();
  const likely = await run(sample, deployment);
  const isQuick = performance.now() - startedAt < QUICK_MS;
  // What is known of all inputs has no range.
  const isAll = sample.length >= inputs;
  const others = isAll ? [] : lowAndHigh(sample, random);
  const runs = [likely];
  for (const other of others) {
    const share = workOf(other) / workOf(sample);
    runs.push(isQuick ? await run(other, deployment) : inProportion(likely, share));
  }
  const costs = runs.map((one) => itemsOf(one, deployment, prices));
  const sizes = [{ deployment, outcome: outcomeOf(likely, deployment, prices) }];
  const beganAt = performance.now();
  for (const other of otherDeployments(deployment, { ...question, ...sampledAt })) {
    if (performance.now() - beganAt > ENOUGH_MS) break;
    sizes.push({ deployment: other, outcome: outcomeOf(await run(sample, other), other, prices) });
  }
  const { excluded, pricesOf: month } = costOf(deployment.region, undefined, prices);
  const range = (name: keyof PlannedItems) => rangeOver(costs.map((items) => items[name]));
  const aws = {
    deployment,
    usd: rangeOver(costs.map(sumOf)),
    items: {
      ...{ lambdaDuration: range('lambdaDuration'), lambdaInvocations: range('lambdaInvocations') },
      ...{ sqsRequests: range('sqsRequests'), s3Requests: range('s3Requests') },
      ...{ transfer: range('transfer'), logs: range('logs') },
    },
    counted: likely.usage,
    peakWorkers: likely.peakWorkers,
    secondsToAllWorkers: likely.secondsToAllWorkers,
    sizes: marked(sizes),
    elsewhere: elsewhereOf(question),
    excluded,
    pricesOf: month,
  };
  const { timeline, limitedBy } = likely;
  return { seconds: rangeOver(runs.map(({ seconds }) => seconds)), timeline, limitedBy, aws };
}

/** A long run with more or less work: time and duration of the workers grow with it. */
function inProportion(run: PlannedRun, share: number): PlannedRun {
  const { arm64, x86_64 } = run.usage.gbSeconds;
  const usage = { ...run.usage, gbSeconds: { arm64: arm64 * share, x86_64: x86_64 * share } };
  return { ...run, seconds: run.seconds * share, usage };
}

/** The range of values, of which the first is the likely one. */
function rangeOver(values: readonly number[]): Range {
  const [likely = Number.NaN] = values;
  return { low: Math.min(...values), likely, high: Math.max(...values) };
}

function itemsOf(
  { usage, logBytes }: PlannedRun,
  { region }: PlannedDeployment,
  table: PriceTable,
): PlannedItems {
  const { items } = costOf(region, usage, table);
  if (items === undefined) throw new RangeError(`The prices of ${region} are not known.`);
  return { ...items, logs: (logBytes / 1e9) * (table.of(region)?.logGb ?? 0) };
}

function sumOf(items: PlannedItems): number {
  return Object.values(items).reduce((sum: number, item: number) => sum + item, 0);
}

function outcomeOf(run: PlannedRun, deployment: PlannedDeployment, prices: PriceTable): Outcome {
  return { seconds: run.seconds, usd: sumOf(itemsOf(run, deployment, prices)) };
}

function elsewhereOf({
  inputs,
  sample,
  sampledAt,
  deployment,
  prices: table,
}: AwsQuestion): Elsewhere[] {
  const { memoryMb, architecture, region } = deployment;
  const prices = table.of(region);
  if (prices === undefined) return [];
  const attempts = sample.reduce((sum, input) => sum + input.attempts, 0);
  const attemptMs = workOf(atMemory(sample, sampledAt, memoryMb)) / attempts;
  const work = { inputs, attempts: attempts / sample.length, attemptMs };
  return costElsewhere({ ...work, memoryMb, architecture }, prices);
}
