import type { RunOptions } from '../collecting/run-options.ts';
import type { S3Results } from '../messages/results-place.ts';
import type { KeptResults } from '../storing/kept-results.ts';

/** Options of `map` for a run whose results are stored in S3. */
export interface StoredOptions
  extends Pick<
    RunOptions,
    | 'concurrency'
    | 'rate'
    | 'hedge'
    | 'pauseWhenFailing'
    | 'priority'
    | 'deadlineSeconds'
    | 'maxFailures'
    | 'maxCost'
    | 'pauseAtCost'
  > {
  /**
   * Where the stack's collector function stores the results: `s3://bucket/prefix/`, or `s3` for the
   * stack's own bucket; or an object with that place and the format.
   */
  output: 's3' | `s3://${string}` | S3Results;
  /** Whether the results are merged into one object in input order at the end. @default false */
  ordered?: boolean;
  /**
   * The results of a run that has ended, by its `kept()`: this run continues it, over the same inputs
   * or more. It runs those without a result, and its folder has one result of each input.
   * @default it runs all inputs
   */
  resume?: KeptResults | undefined;
  /**
   * Aborting it ends seeding and waiting with its reason. A run whose inputs were not all seeded is
   * cancelled; other runs go on.
   * @default none
   */
  signal?: AbortSignal;
}

export function isStored(options: RunOptions | StoredOptions): options is StoredOptions {
  return 'output' in options && options.output !== undefined;
}
