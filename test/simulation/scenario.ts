import fc from 'fast-check';
import type { Bounds } from '../../src/pipeline/messages/flow.ts';
import { FAULT_NAMES, FAULTS, type Fault, type FaultRates } from './faults.ts';

/**
 * The behaviour of the task for an input:
 * - `ok` ends well, `flaky` fails at its first attempt or two, `fails` at each, `hopeless` for good;
 * - `invalid` is refused by the schema;
 * - `hangs` never ends, and doesn't listen; `exits` ends its worker;
 * - `huge` returns more than a message holds, `strange` what JSON has not.
 */
export type InputKind =
  | 'ok'
  | 'flaky'
  | 'fails'
  | 'hopeless'
  | 'invalid'
  | 'hangs'
  | 'exits'
  | 'huge'
  | 'strange';

export interface SimInput {
  kind: InputKind;
  /** Milliseconds that its task takes; 0: it returns at once. */
  ms: number;
}

export interface TaskPlan {
  maxAttempts: number;
  timeoutSeconds: number;
  concurrency: number;
  backoffBaseSeconds: number;
}

/** What an operator does to a run while it goes on. */
export type Change = { afterSeconds: number } & ({ set: Bounds } | { pausedForSeconds: number });

/** The bounds of a run, and an operator's changes to them. */
export interface FlowPlan {
  bounds: Bounds;
  changes: Change[];
  /** Inputs beside those of a run without bounds: so many that changes find it under way. */
  more: SimInput[];
  /** A run alone, without faults, that reaches what its bounds allow: its inputs, and the time of each. */
  reach: { inputs: number; ms: number } | undefined;
}

export interface RunPlan {
  inputs: SimInput[];
  /** Whether slow inputs at its end are run a second time. @default false */
  hedge?: boolean | undefined;
  /** Undefined for a run without bounds that nobody changes. */
  flow: FlowPlan | undefined;
  /** Milliseconds between two inputs of a stream; 0: all are there, as an array. */
  everyMs: number;
  startsAfterSeconds: number;
  ordered: boolean;
  /** Milliseconds that its consumer needs for a batch of results. */
  consumerMs: number;
  /** The process that ends the run early: its own, or another one with a message to its queue. */
  cancel: { by: 'run' | 'message'; afterSeconds: number } | undefined;
  deadlineSeconds: number | undefined;
  maxFailures: number | undefined;
  /** Bytes of inputs and results that may be outstanding. */
  windowBytes: number | undefined;
  /** Whether a collector function stores its results. */
  isStored?: true;
}

/** One simulated disaster: all that happens in it follows from this. */
export interface Scenario {
  /** Seed of everything that is drawn while it runs. */
  seed: number;
  rates: FaultRates;
  /** Longest duration of faults, in seconds of virtual time. */
  faultSeconds: number;
  lambdaWorkers: number;
  /** Milliseconds that the tasks module of a worker function takes to load. */
  loadMs: number;
  /** A deployment whose tasks module does not load, and which is rolled back. */
  badDeployment: { afterSeconds: number; forSeconds: number } | undefined;
  pullWorkers: number;
  /** Pulling workers that are a hundred times slower than the others. @default none */
  slowWorkers?: number | undefined;
  /** Whether workers take SQS for a Fanfold server, whose tags they may read often. @default false */
  onServer?: boolean | undefined;
  sliceSeconds: number;
  task: TaskPlan;
  runs: RunPlan[];
  /** Task messages that no worker can read. */
  garbage: number;
}

/** Whether the deployment has a bucket, for results and for what no message can hold. */
export function hasBucket({ runs }: Scenario): boolean {
  return runs.some(({ isStored }) => isStored);
}

/** Whether there are no faults: then no work may be wasted. */
export function isCalm({ rates, badDeployment }: Scenario): boolean {
  return badDeployment === undefined && FAULT_NAMES.every((fault) => rates[fault] === 0);
}

/** A slice in which items may take this long does not fit into a worker function's timeout. */
const LONG_TIMEOUT_SECONDS = 100;

/** Whether all workers have time for whole slices. */
export function hasWholeSlices({ task }: Scenario): boolean {
  return task.timeoutSeconds < LONG_TIMEOUT_SECONDS;
}

export const NO_FAULTS = Object.fromEntries(FAULT_NAMES.map((fault) => [fault, 0])) as FaultRates;

/** Each run has only some of the faults, so that the others reach further states. */
const someFaults: fc.Arbitrary<FaultRates> = fc.record(
  Object.fromEntries(
    FAULT_NAMES.map((fault) => [
      fault,
      fc.oneof(
        { withCrossShrink: true },
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 2, arbitrary: fc.constantFrom<number[]>(...FAULTS[fault]) },
      ),
    ]),
  ) as Record<Fault, fc.Arbitrary<number>>,
);

const rates = fc.oneof(
  { withCrossShrink: true },
  { weight: 1, arbitrary: fc.constant(NO_FAULTS) },
  { weight: 7, arbitrary: someFaults },
);

const duration = fc.oneof(
  { withCrossShrink: true },
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 800 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 50_000 }) },
);

const kind: fc.Arbitrary<InputKind> = fc.oneof(
  { withCrossShrink: true },
  { weight: 40, arbitrary: fc.constant<InputKind>('ok') },
  {
    weight: 6,
    arbitrary: fc.constantFrom<InputKind[]>('flaky', 'fails', 'hopeless', 'invalid', 'strange'),
  },
  { weight: 2, arbitrary: fc.constantFrom<InputKind[]>('hangs', 'hangs', 'huge', 'exits') },
);

const input: fc.Arbitrary<SimInput> = fc.record({ kind, ms: duration });

/** A few attempts that fail late: their claims may be lost by then, to workers that are idle. */
const late = fc.array(
  fc.record({
    kind: fc.constantFrom<InputKind[]>('flaky', 'fails', 'hangs'),
    ms: fc.integer({ min: 20_000, max: 60_000 }),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Many equal inputs are cut and shared in ways that a few inputs do not show. */
const many = fc
  .tuple(fc.integer({ min: 50, max: 300 }), fc.integer({ min: 0, max: 1_500 }))
  .map(([count, ms]) => equal(count, ms));

function equal(count: number, ms: number): SimInput[] {
  return Array.from({ length: count }, () => ({ kind: 'ok', ms }));
}

/** Quick inputs, of which workers receive several chunks at once, and slow ones behind them. */
const slowing = fc
  .tuple(fc.integer({ min: 20, max: 60 }), fc.integer({ min: 1, max: 20 }))
  .map(([quick, slow]) =>
    Array.from(
      { length: quick + slow },
      (_, at): SimInput => ({ kind: 'ok', ms: at < quick ? 0 : 4_000 }),
    ),
  );

const inputs = fc.oneof(
  { withCrossShrink: true },
  { weight: 6, arbitrary: fc.array(input, { maxLength: 40 }) },
  { weight: 1, arbitrary: many },
  { weight: 1, arbitrary: slowing },
  { weight: 2, arbitrary: late },
);

function rarely<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary },
  );
}

const run: fc.Arbitrary<Omit<RunPlan, 'flow'>> = fc.record({
  inputs,
  everyMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 500 })),
  startsAfterSeconds: fc.integer({ min: 0, max: 120 }),
  ordered: fc.boolean(),
  consumerMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    fc.integer({ min: 1, max: 5_000 }),
  ),
  cancel: rarely(
    fc.record({
      by: fc.constantFrom('run' as const, 'message' as const),
      afterSeconds: fc.integer({ min: 0, max: 60 }),
    }),
  ),
  deadlineSeconds: rarely(fc.integer({ min: 10, max: 1_200 })),
  maxFailures: rarely(fc.integer({ min: 0, max: 5 })),
  windowBytes: rarely(fc.integer({ min: 1, max: 5_000 })),
});

/** A hundred and more are the event source's: those that pull never end, and cost much when idle. */
const workers = fc
  .record({
    lambdaWorkers: fc.oneof(
      { withCrossShrink: true },
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }) },
      { weight: 1, arbitrary: fc.integer({ min: 100, max: 300 }) },
    ),
    pullWorkers: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4 })),
  })
  .filter(({ lambdaWorkers, pullWorkers }) => lambdaWorkers + pullWorkers > 0);

/** Runs that reach their bounds whatever their number of workers is. */
const REACHING = [
  { bounds: { concurrency: 4 }, more: [], changes: [], reach: { inputs: 400, ms: 1_000 } },
  { bounds: { concurrency: 1 }, more: [], changes: [], reach: { inputs: 100, ms: 1_000 } },
  { bounds: { rate: '5/s' }, more: [], changes: [], reach: { inputs: 400, ms: 20 } },
  // Rounds of all its lanes: a part of one takes as long as a whole one.
  { bounds: { rate: '30/m' }, more: [], changes: [], reach: { inputs: 152, ms: 50 } },
  { bounds: { rate: '6/m' }, more: [], changes: [], reach: { inputs: 120, ms: 50 } },
  {
    bounds: { concurrency: 2, rate: '2/s' },
    more: [],
    changes: [],
    reach: { inputs: 200, ms: 100 },
  },
] as const satisfies FlowPlan[];

/** Bounds whose changes have one unit: a window of another unit can't be compared. */
const bounds: fc.Arbitrary<{ first: Bounds; later: Bounds[] }> = fc
  .record({
    unit: fc.constantFrom('s' as const, 'm' as const),
    each: fc.array(
      fc.record({
        concurrency: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined, freq: 3 }),
        count: fc.option(fc.constantFrom(5, 2, 12, 40, 100), { nil: undefined, freq: 3 }),
      }),
      { minLength: 4, maxLength: 4 },
    ),
  })
  .map(({ unit, each }) => {
    const [first = {}, ...later] = each.map(({ concurrency, count }): Bounds => {
      return { concurrency, rate: count === undefined ? undefined : `${count}/${unit}` };
    });
    return { first, later };
  });

/** Many runs have bounds, most of which change; a few reach what they allow. */
const flow: fc.Arbitrary<FlowPlan | undefined> = fc.oneof(
  { withCrossShrink: true },
  { weight: 5, arbitrary: fc.constant(undefined) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        bounds,
        more: fc
          .tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 2_000 }))
          .map(([count, ms]) => equal(count, ms)),
        changes: fc.array(
          fc.record({
            afterSeconds: fc.integer({ min: 0, max: 100 }),
            pausedForSeconds: fc.option(fc.integer({ min: 1, max: 200 }), { freq: 2 }),
          }),
          { maxLength: 3 },
        ),
      })
      .map(({ bounds: { first, later }, more, changes }) => ({
        bounds: first,
        more,
        changes: changes.map(({ afterSeconds, pausedForSeconds }, at): Change => {
          if (pausedForSeconds !== null) return { afterSeconds, pausedForSeconds };
          return { afterSeconds, set: later[at] ?? {} };
        }),
        reach: undefined,
      })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<FlowPlan[]>(...REACHING),
  },
);

function scenarioWith(flow: fc.Arbitrary<FlowPlan | undefined>): fc.Arbitrary<Scenario> {
  return fc
    .record({
      seed: fc.noShrink(fc.integer({ min: 0, max: 0x7fff_ffff })),
      rates,
      faultSeconds: fc.integer({ min: 60, max: 1_200 }),
      workers,
      loadMs: fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        fc.integer({ min: 1, max: 15_000 }),
      ),
      badDeployment: rarely(
        fc.record({
          afterSeconds: fc.integer({ min: 0, max: 120 }),
          forSeconds: fc.integer({ min: 10, max: 600 }),
        }),
      ),
      sliceSeconds: fc.constantFrom(5, 60),
      task: fc.record({
        maxAttempts: fc.integer({ min: 1, max: 4 }),
        // The last is longer than what a fresh claim covers.
        timeoutSeconds: fc.constantFrom(30, 5, 60, LONG_TIMEOUT_SECONDS),
        concurrency: fc.constantFrom(1, 1, 3),
        backoffBaseSeconds: fc.constantFrom(1, 0, 10),
      }),
      runs: fc.array(run, { minLength: 1, maxLength: 3, size: 'small' }),
      garbage: fc.integer({ min: 0, max: 2 }),
      flow,
    })
    .map(({ workers, flow: first, runs, ...rest }) => {
      const all = { ...rest, ...workers };
      if (first?.reach) return reaching(all, first, first.reach);
      const plans = runs.map((plan, at): RunPlan => {
        if (at > 0 || first === undefined) return { ...plan, flow: undefined };
        return { ...plan, inputs: [...plan.inputs, ...first.more], flow: first };
      });
      return { ...all, runs: plans };
    });
}

export const scenario = scenarioWith(fc.constant(undefined));

/** One of so many scenarios with bounds has runs whose slow inputs are run a second time. */
const HEDGED_OF = 4;

/** Scenarios whose first run may have bounds: they take longer, and have a campaign of their own. */
export const boundedScenario = scenarioWith(flow).map((one) => {
  // Not drawn, so that the other scenarios stay as they are.
  if (one.seed % HEDGED_OF !== 0) return one;
  return { ...one, runs: one.runs.map((plan) => ({ ...plan, hedge: true })) };
});

/** Number of workers that reach the bounds of `REACHING`. */
const WORKERS = 4;

/** A world in which a run can reach its bounds. */
function reaching(
  all: Omit<Scenario, 'runs'>,
  flow: FlowPlan,
  { inputs, ms }: FlowPlan['reach'] & {},
): Scenario {
  const plan = {
    inputs: equal(inputs, ms),
    ...{ flow, everyMs: 0, startsAfterSeconds: 0, ordered: false, consumerMs: 0 },
    ...{ cancel: undefined, deadlineSeconds: undefined },
    ...{ maxFailures: undefined, windowBytes: undefined },
  };
  const task = { ...all.task, timeoutSeconds: 30 };
  const workers =
    all.lambdaWorkers > 0
      ? { lambdaWorkers: Math.max(WORKERS, all.lambdaWorkers) }
      : { pullWorkers: WORKERS };
  return {
    ...all,
    ...workers,
    rates: NO_FAULTS,
    badDeployment: undefined,
    loadMs: 0,
    task,
    runs: [plan],
  };
}

/**
 * Limits of scenarios whose runs are stored, which are about the collector function: idle workers
 * and many inputs cost much. One in `wholeOf` keeps all its inputs, since faults in the middle of a
 * run's end need many results.
 */
const STORED = { runs: 2, inputs: 60, wholeOf: 4, lambdaWorkers: 20, pullWorkers: 1 };

/** Scenarios whose runs are stored in S3, by a collector function. */
export const storedScenario: fc.Arbitrary<Scenario> = scenario.map((plain) => ({
  ...plain,
  lambdaWorkers: Math.min(Math.max(1, plain.lambdaWorkers), STORED.lambdaWorkers),
  pullWorkers: Math.min(plain.pullWorkers, STORED.pullWorkers),
  runs: plain.runs.slice(0, STORED.runs).map(
    (plan): RunPlan => ({
      ...plan,
      inputs: plain.seed % STORED.wholeOf === 0 ? plan.inputs : plan.inputs.slice(0, STORED.inputs),
      isStored: true,
      ...{ everyMs: 0, ordered: false, consumerMs: 0, windowBytes: undefined },
      cancel: plan.cancel && { ...plan.cancel, by: 'message' },
    }),
  ),
}));
