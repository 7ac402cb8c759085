import { checkWhole } from './errors.ts';
import {
  type CallOptions,
  CHECKED,
  checkOptions,
  FUNCTION,
  isObject,
  type Kind,
  OBJECT,
} from './options.ts';
import { type Bounds, checkBounds } from './pipeline/messages/flow.ts';
import type { PlannedMoment } from './planning/here.ts';
import type { PlannedOnAws } from './planning/on-aws.ts';
import type { Range } from './planning/range.ts';
import type { PlannedStack } from './sampling/aws.ts';

/** Options of `plan`. */
export interface PlanOptions extends Bounds {
  /**
   * Number of inputs that are really run, chosen at random: 1 to 10000.
   * @default 20 and, as long as the sample takes less than 10 s, up to 200
   */
  sample?: number | undefined;
  /** Aborting it ends the plan: it rejects with the reason. @default none */
  signal?: AbortSignal | undefined;
  /**
   * A deployment on AWS to plan for, which need not exist. The sample runs where the connection runs
   * tasks; of a stack, that stack is planned.
   * @default a run where the connection runs tasks
   */
  aws?: PlannedStack | undefined;
  /** Called before the sample is run. @default nothing is called */
  onCounted?: ((about: Counted) => void) | undefined;
  /** Called with the number of inputs that were run so far. @default nothing is called */
  onSampled?: ((done: number) => void) | undefined;
}

/** What is known before the sample is run. */
export interface Counted {
  /** Number of all inputs. */
  inputs: number;
  /** Most inputs that will be run. */
  sample: number;
  /**
   * US dollars that AWS bills at most for the time of the functions: if each of them takes its whole
   * time limit in each attempt. Undefined for a sample that runs elsewhere.
   */
  mostUsd: number | undefined;
}

/** What was measured of the inputs that were run. */
export interface PlannedSample {
  inputs: number;
  ok: number;
  failed: number;
  /** The first few kinds of errors, such as `Error: not found`. */
  failures: string[];
  /** Attempts for each input, on average. */
  attempts: number;
  /** Durations of inputs, over all of their attempts, in milliseconds. */
  ms: { mean: number; p50: number; p95: number; max: number };
  /** Bytes of an output, on average. */
  outputBytes: number;
  /** Share of that time in which a processor worked, from 0 to 1; undefined if it ran elsewhere. */
  cpuShare: number | undefined;
  /** Peak memory of a worker, in MB; undefined if it ran elsewhere. */
  peakMemoryMb: number | undefined;
  /** Seconds that the sample took. */
  seconds: number;
  /** What the sample has cost, in US dollars, as metered; undefined where AWS bills nothing. */
  usd: number | undefined;
}

/** What a run would take. */
export interface Plan {
  task: string;
  /** Number of inputs. */
  inputs: number;
  /** Bytes of all inputs, as JSON texts. */
  inputBytes: number;
  sample: PlannedSample;
  /** Most workers at once. */
  workers: number;
  /** Seconds from the beginning of the run to its last result, as `fanfold run` prints them. */
  seconds: Range;
  /** Workers that run inputs, and results, over time. */
  timeline: readonly PlannedMoment[];
  /** What limits the run, in words. */
  limitedBy: string;
  /** Cost, workers, and other sizes on AWS; undefined for a plan of another place. */
  aws: PlannedOnAws | undefined;
  /** Sentences about what the plan supposes, or the account cannot hold. */
  notes: string[];
}

const KINDS: Record<keyof PlanOptions, Kind> = {
  sample: CHECKED,
  concurrency: CHECKED,
  rate: CHECKED,
  signal: ['an AbortSignal', (value) => isObject(value) && 'aborted' in value],
  aws: OBJECT,
  onCounted: FUNCTION,
  onSampled: FUNCTION,
};

const OPTIONS: CallOptions = { call: 'plan()', kinds: KINDS };

const MOST_SAMPLED = 10_000;

/** @throws FanfoldError `BadOption` */
export function checkPlanOptions(options: PlanOptions): void {
  checkOptions(OPTIONS, options);
  checkBounds(options);
  if (options.sample !== undefined) checkWhole('sample', options.sample, 1, MOST_SAMPLED);
}
