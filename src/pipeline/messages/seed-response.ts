import type { TaskFacts } from '../../task.ts';

/** The answer to a seed request whose inputs are seeded. */
export interface SeedResponse {
  runId: string;
  task: string;
  first: number;
  /** Inputs seeded. */
  count: number;
  /** Task messages sent. */
  chunks: number;
  resultQueueUrl: string;
  /** Whether a further invocation goes on with inputs that are left. */
  continues?: boolean;
}

/** The answer to a seed request that is refused: nothing was queued. */
export interface SeedRefusal {
  error: {
    code: string;
    message: string;
    /** The input that is at fault, counted from the run's first, and what is wrong with it. */
    index?: number;
    reason?: string;
  };
}

/** The answer to `{"describe": true}`: what is deployed. */
export interface SeedDescription {
  /** The version of Fanfold that is deployed. */
  fanfold: string;
  tasks: TaskFacts[];
  /** About how many workers chunks are cut for. */
  workers: number;
  /** The most burst workers that a run starts. */
  burst: number;
}
