import type { Compression, Format } from '../../outputs/formats.ts';
import type { FailingText } from './failing.ts';

/** What a stored run was asked for. It does not change. */
export interface StoredRunOptions {
  runId: string;
  task: string;
  format: Format;
  compression?: Compression | undefined;
  ordered?: boolean | undefined;
  maxFailures?: number | `${number}%` | undefined;
  hedge?: boolean | undefined;
  pauseWhenFailing?: FailingText | undefined;
  /** In milliseconds since 1970. */
  expiresAt: number;
}

/** An event of the collector function. */
export type CollectorEvent =
  /** From the seed, before anything is queued: checks the place of a run's results. */
  | { begin: StoredRunOptions & { output: string } }
  /** From the seed, the watchdog or the collector before: collects a run. */
  | { collect: CollectEvent }
  /** From a schedule: restarts collectors that have died. */
  | { watch: true };

export interface CollectEvent {
  runId: string;
  /** The folder of its results, `s3://bucket/prefix/<runId>/`. */
  output: string;
  /** The collector that it follows; 0 for the first. */
  epoch: number;
  /** Whether that one is presumed dead. @default false */
  restart?: boolean | undefined;
}
