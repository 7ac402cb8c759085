import type { Usage } from './usage.ts';

/** An input of a sample that was really run. */
export interface SampledInput {
  /** Duration of each of its attempts, in milliseconds. */
  readonly ms: number;
  /** Number of attempts. All but the last one failed; the last one too, if it is not `ok`. */
  readonly attempts: number;
  /** Size of its output as JSON, in bytes. */
  readonly outputBytes: number;
  readonly ok: boolean;
}

/** The deployment that a run is planned for. */
export interface PlannedDeployment {
  /** Region, such as `eu-central-1`. */
  readonly region: string;
  /** Memory of a worker, in MiB. */
  readonly memoryMb: number;
  readonly architecture: 'arm64' | 'x86_64';
  /** Maximum number of concurrent workers, including burst workers. */
  readonly maxConcurrency: number;
  /** Number of those workers that the seed starts. */
  readonly burst: number;
  /** Concurrent executions that the account allows. @default 1000, AWS's default */
  readonly accountConcurrency?: number | undefined;
  /** Inputs that a worker runs at once. @default 1 */
  readonly concurrency?: number | undefined;
  /** Starts of inputs per second that the run is limited to. @default no limit */
  readonly rate?: number | undefined;
  /** Size of the workers' bundle, in bytes: cold starts grow with it. @default 500000 */
  readonly bundleBytes?: number | undefined;
}

/** The run to plan. */
export interface PlanRequest {
  /** Number of inputs. */
  readonly inputs: number;
  /** Mean size of an input as JSON, in bytes. */
  readonly inputBytes: number;
  /** Inputs that were really run, at least one. Each planned input behaves like one of them. */
  readonly sample: readonly SampledInput[];
  readonly deployment: PlannedDeployment;
  /** The same seed gives the same plan. @default '1' */
  readonly seed?: string | undefined;
}

/** The state of a planned run at one time. */
export interface PlannedMoment {
  /** Seconds since the run's start. */
  readonly atSeconds: number;
  /** Number of workers that run inputs. */
  readonly busyWorkers: number;
  /** Number of results that the collector has received. */
  readonly done: number;
}

/** What keeps a run from being faster. */
export type Limit =
  | 'the number of inputs'
  | 'the start of workers'
  | 'the maximum concurrency'
  | "the account's concurrency"
  | 'the rate'
  | 'the collector';

/** A run as it would go on AWS. */
export interface PlannedRun {
  /** Seconds from the call to the collection of the last result. */
  readonly seconds: number;
  /** What AWS bills for, without receives of no message by the event sources. */
  readonly usage: Usage;
  /** Bytes that the functions log, without Lambda's own lines. */
  readonly logBytes: number;
  /** At most a hundred moments, with even pauses, from the start to the end. */
  readonly timeline: readonly PlannedMoment[];
  /** Seconds until as many workers ran inputs as are allowed; undefined if there never were. */
  readonly secondsToAllWorkers: number | undefined;
  readonly limitedBy: Limit;
  /** Largest number of workers that ran inputs at once. */
  readonly peakWorkers: number;
  /** Number of inputs that were simulated; the rest is extrapolated. */
  readonly simulated: number;
}
