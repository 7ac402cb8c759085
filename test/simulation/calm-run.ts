import type { Bounds } from '../../src/pipeline/messages/flow.ts';
import { type Change, NO_FAULTS, type Scenario } from './scenario.ts';

/** One run of equal inputs, whose duration is measured. */
export interface CalmRun {
  workers: number;
  inputs: number;
  /** Milliseconds that each input takes; or that they take in turns. */
  ms: number | number[];
  /** Workers that are a hundred times slower. @default none */
  slowWorkers?: number;
  /** @default false */
  hedge?: boolean;
  /** @default false */
  onServer?: boolean;
  /** Inputs that a worker runs at once. @default 1 */
  concurrency?: number;
  /** @default none */
  bounds?: Bounds;
  /** @default none */
  changes?: Change[];
  /** Whether inputs fail at their first attempt, and every other one at its second. @default false */
  flaky?: boolean;
  /** Longest wait before a second attempt, in seconds. @default 1 */
  backoffBaseSeconds?: number;
  /** Whether it must reach at least 90 % of what its bounds allow. @default false */
  reaches?: boolean;
}

/** Its world, in which nothing goes wrong. */
export function calmScenario(plan: CalmRun): Scenario {
  const {
    workers,
    inputs,
    ms,
    slowWorkers,
    hedge,
    onServer,
    concurrency = 1,
    bounds,
    changes = [],
    flaky = false,
    backoffBaseSeconds = 1,
    reaches = false,
  } = plan;
  const kind = flaky ? 'flaky' : 'ok';
  const msOf = (index: number) => [ms].flat()[index % [ms].flat().length] ?? 0;
  return {
    ...{ seed: 1, rates: NO_FAULTS, faultSeconds: 86_400, garbage: 0 },
    ...{ lambdaWorkers: 0, loadMs: 0, badDeployment: undefined },
    ...{ pullWorkers: workers, slowWorkers, onServer, sliceSeconds: onServer ? 5 : 60 },
    task: { maxAttempts: 3, timeoutSeconds: 3_600, concurrency, backoffBaseSeconds },
    runs: [
      {
        inputs: Array.from({ length: inputs }, (_, index) => ({ kind, ms: msOf(index) })),
        ...{ hedge, everyMs: 0, startsAfterSeconds: 0, ordered: false, consumerMs: 0 },
        ...{ cancel: undefined, deadlineSeconds: undefined },
        ...{ maxFailures: undefined, windowBytes: undefined },
        flow: bounds && {
          bounds,
          changes,
          more: [],
          reach: reaches ? { inputs, ms: msOf(0) } : undefined,
        },
      },
    ],
  };
}
