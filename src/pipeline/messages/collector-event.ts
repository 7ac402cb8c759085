import type { Compression, Format } from '../../outputs/formats.ts';
import type { FailingText } from './failing.ts';
import type { InputsMark } from './inputs-mark.ts';
import type { Continuing } from './results-place.ts';

/** What a stored run was asked for. It does not change. */
export interface StoredRunOptions extends Continuing {
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
  /** Mark of the inputs of the run that it continues. */
  mark?: InputsMark | undefined;
  /** Digest of the request that began it, which may be repeated after the run's end. */
  request?: string | undefined;
}

/** An event of the collector function. */
export type CollectorEvent =
  /** From the seed, before anything is queued: checks the place of a run's results. */
  | { begin: BeginEvent }
  /** From the seed, the watchdog or the collector before: collects a run. */
  | { collect: CollectEvent }
  /** From a schedule: restarts collectors that have died. */
  | { watch: true };

export interface BeginEvent extends Omit<StoredRunOptions, 'format' | 'mark'> {
  /** @default `jsonl`, or that of the run that it continues */
  format?: Format | undefined;
  /** The folder of its results, `s3://bucket/prefix/<runId>/`. */
  output: string;
  /** Whether to answer what it has of the run that it continues. @default false */
  needsKept?: boolean;
}

/** The answer to a `begin` event. */
export interface BeginAnswer {
  /** What it has of the run that it continues. */
  kept?: KeptInputs;
  /** Set if the run is over: the answer to an earlier, equal request was lost. */
  over?: OverRun;
}

export interface OverRun {
  /** Number of its inputs. */
  inputs: number;
}

export interface KeptInputs {
  /** Number of inputs of the earlier run. */
  inputs: number;
  /** Bitmap of the inputs that have a result, compressed, in Base64. */
  settled: string;
  /** Mark of the earlier run's inputs, if it has one. */
  mark?: InputsMark | undefined;
}

export interface CollectEvent {
  runId: string;
  /** The folder of its results, `s3://bucket/prefix/<runId>/`. */
  output: string;
  /** The collector that it follows; 0 for the first. */
  epoch: number;
  /** Whether that one is presumed dead. @default false */
  restart?: boolean | undefined;
}
