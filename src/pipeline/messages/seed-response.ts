import type { TaskFacts } from '../../task.ts';
import type { OverRun } from './collector-event.ts';
import type { UsedFields } from './used.ts';

/** The answer to a seed request whose inputs are seeded. */
export interface SeedResponse {
  runId: string;
  task: string;
  first: number;
  /** Number of inputs seeded. */
  count: number;
  /** Number of task messages sent. */
  chunks: number;
  resultQueueUrl: string;
  /** The folder in S3 where the results will be, `s3://bucket/prefix/<runId>/`. */
  output?: string;
  /** Whether a further invocation continues with the remaining inputs. */
  continues?: boolean;
  /** Set if the run, with stored results, has ended before this repeated request: nothing was sent. */
  over?: OverRun | undefined;
  /** What the seed's process has used for the run so far. */
  used?: UsedFields | undefined;
}

/** A function's answer to a request that it refused: it did nothing. */
export interface Refusal {
  error: {
    code: string;
    message: string;
    /** Index of the input at fault, counted from the run's first, and what is wrong with it. */
    index?: number;
    reason?: string;
  };
}

/** The answer to `{"describe": true}`: what is deployed. */
export interface SeedDescription {
  /** The version of Fanfold that is deployed. */
  fanfold: string;
  tasks: TaskFacts[];
  /** Approximate number of workers that chunks are cut for. */
  workers: number;
  /** Number of workers that are there now, if it is known. */
  live?: number | undefined;
  /** Most burst workers that a run starts. */
  burst: number;
}
