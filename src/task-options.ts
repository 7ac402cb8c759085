/** Writes lines to the log of the place where the task runs, with run, index and attempt. */
export interface TaskLog {
  /** Writes a line of level DEBUG; on Lambda only if the construct's `logLevel` is `DEBUG`. */
  debug(message: string, fields?: object): void;
  /** Writes a line of level INFO. */
  info(message: string, fields?: object): void;
  /** Writes a line of level WARN. */
  warn(message: string, fields?: object): void;
  /** Writes a line of level ERROR. It does not fail the attempt. */
  error(message: string, fields?: object): void;
}

/** Facts about the input that a task is given. */
export interface TaskContext {
  /** Aborts after `timeoutSeconds`. Pass it to `fetch` and the like. */
  readonly signal: AbortSignal;
  /** Unique id of the run. Together with `index`, the key to make side effects idempotent. */
  readonly runId: string;
  /** Position of the input in the run, from 0. */
  readonly index: number;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Log whose lines carry the run, the index, the task and the attempt. */
  readonly log: TaskLog;
}

/** Options of `defineTask`, besides the functions and the schema. */
export interface TaskOptions {
  /** Letters, digits, `-` and `_`, at most 80, unique in its tasks module. */
  name: string;
  /**
   * Attempts at one input before it ends `failed`: 1 to 100.
   * @default 3
   */
  maxAttempts?: number;
  /**
   * Seconds that one attempt may take before its signal aborts and it fails as `TimedOut`: 0.001 to
   * 43200, 12 hours. On Lambda it must fit into the function's `timeout`.
   * @default 60
   */
  timeoutSeconds?: number;
  /**
   * Inputs that one worker runs at once: 1 to 1000.
   * @default 1
   */
  concurrency?: number;
  /**
   * Most inputs of one run that execute at once, over all workers: 1 to 100000. The option
   * `concurrency` of `map` overrides it.
   * @default no bound
   */
  runConcurrency?: number | undefined;
  /**
   * Longest wait before the second attempt, in seconds: 0 to 900. It doubles with each further
   * attempt. The wait is random, between 0 and that (full jitter), in whole seconds.
   * @default 1
   */
  backoffBaseSeconds?: number;
  /**
   * Limit of the doubling, in seconds: 0 to 900, SQS's longest delay.
   * @default 60
   */
  backoffCapSeconds?: number;
  /**
   * Whether the task may run over one input twice at once: then `hedge` can be used.
   * @default false
   */
  idempotent?: boolean | undefined;
  /**
   * Whether a worker halves the pace of its attempts when one ends with `RetryLater`. The pace grows
   * again by a tenth of that a second.
   * @default false
   */
  adaptive?: boolean | undefined;
  /**
   * Decides after each failed attempt, within `maxAttempts`: `false` ends the input as `failed`, a
   * number is the wait before the next attempt in seconds (0 to 43200), and `undefined` leaves it to
   * the backoff. It is not called for an input that the schema refuses, nor for a
   * `NonRetryableError` or a `RetryLater`.
   *
   * ```ts
   * retry: (error, attempt) => (error instanceof RangeError ? false : 10 * attempt),
   * ```
   *
   * @default each error is retried, after the backoff
   */
  retry?: ((error: unknown, attempt: number) => number | false | undefined) | undefined;
}

/** A task's name and options, without its code. */
export type TaskFacts = Required<Omit<TaskOptions, 'runConcurrency' | 'retry' | 'adaptive'>> &
  Pick<TaskOptions, 'runConcurrency'>;

/** Argument of `setup`. */
export interface SetupContext {
  /** Aborts when the setup has taken 120 s, or its process is about to end. */
  readonly signal: AbortSignal;
}
