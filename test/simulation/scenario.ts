import fc from 'fast-check';
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

export interface RunPlan {
  inputs: SimInput[];
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
  sliceSeconds: number;
  task: TaskPlan;
  runs: RunPlan[];
  /** Task messages that no worker can read. */
  garbage: number;
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

const NO_FAULTS = Object.fromEntries(FAULT_NAMES.map((fault) => [fault, 0])) as FaultRates;

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
  .map(([count, ms]) => Array.from({ length: count }, (): SimInput => ({ kind: 'ok', ms })));

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

const run: fc.Arbitrary<RunPlan> = fc.record({
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

export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    seed: fc.noShrink(fc.integer({ min: 0, max: 0x7fff_ffff })),
    rates,
    faultSeconds: fc.integer({ min: 60, max: 1_200 }),
    workers,
    loadMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 15_000 })),
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
  })
  .map(({ workers, ...rest }) => ({ ...rest, ...workers }));
