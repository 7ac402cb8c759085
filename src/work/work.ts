import { availableParallelism, hostname } from 'node:os';
import { sqsAt } from '../endpoint/clients.ts';
import { checkWhole, FanfoldError } from '../errors.ts';
import { openTasks } from '../loading/tasks-module.ts';
import {
  type CallOptions,
  CHECKED,
  checkOptions,
  FLAG,
  FUNCTION,
  type Kind,
  MODULE,
  TEXT,
} from '../options.ts';
import type { LogLine } from '../pipeline/working/log-line.ts';
import { Workers } from '../processes/workers.ts';
import { LOCAL_SLICE_SECONDS } from '../worlds/world.ts';
import { Watch } from './queue-watch.ts';
import { serverSite, stackSite } from './work-target.ts';

/** Options of `work`. */
export interface WorkOptions {
  /** The server's address, such as `http://127.0.0.1:9324`. @default FANFOLD_JOIN's */
  endpoint?: string | undefined;
  /** The name of a stack on AWS, instead of a server. @default none */
  stack?: string | undefined;
  /** The tasks module, as a URL or a path. */
  tasks: URL | string;
  /** Number of worker processes, 1 to 1000. @default the number of cores */
  workers?: number | undefined;
  /** Whether to end when no chunk is left: none waiting, delayed or in progress. @default false */
  untilEmpty?: boolean | undefined;
  /**
   * Called for trouble that the workers recover from, such as a server that does not answer.
   * @default a process warning
   */
  onWarning?: ((message: string) => void) | undefined;
  /** Duration from which an attempt is reported to `onSlow`, in milliseconds. @default 1000 */
  slowMs?: number | undefined;
  /** Called for attempts that took so long; only for some if there are many at once. */
  onSlow?: ((attempt: SlowAttempt) => void) | undefined;
  /**
   * Called with each line that tasks log or print.
   * @default log lines go to standard error as JSON, other output unchanged
   */
  onLog?: ((line: LogLine) => void) | undefined;
}

/** An attempt that took as long as `slowMs`. */
export interface SlowAttempt {
  /** Name of the worker. */
  worker: string;
  /** Name of the task. */
  task: string;
  /** Index of the input in its run. */
  index: number;
  /** Whether the attempt succeeded. */
  ok: boolean;
  /** Duration in milliseconds. */
  ms: number;
}

/** This machine's workers for a server or a stack. */
export interface Work {
  /** Name of the server or stack: `http://127.0.0.1:9324`, or `stack Photos on AWS`. */
  readonly place: string;
  /** Names of the tasks that these workers run. */
  readonly tasks: readonly string[];
  /** Number of worker processes. */
  readonly workers: number;
  /** Final results of these workers so far, and the attempts that they have made. */
  readonly done: { readonly ok: number; readonly failed: number; readonly attempts: number };
  /** Chunks of all runs, including those in progress; undefined while it is unknown. */
  readonly left: number | undefined;
  /** Resolves when no chunk is left, with `untilEmpty`; rejects when the workers can't continue. */
  readonly ended: Promise<void>;
  /** Stops the workers within 5 s: they finish the current input, or send it back with the rest. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const KINDS: Record<keyof WorkOptions, Kind> = {
  endpoint: TEXT,
  stack: TEXT,
  tasks: MODULE,
  workers: CHECKED,
  untilEmpty: FLAG,
  onWarning: FUNCTION,
  slowMs: ['a number', (value) => typeof value === 'number' && value >= 0],
  onSlow: FUNCTION,
  onLog: FUNCTION,
};

const OPTIONS: CallOptions = { call: 'work()', kinds: KINDS, required: ['tasks'] };

/** Default of `slowMs`. */
const SLOW_MS = 1_000;

/** As long as other workers on AWS keep a chunk: each slice costs requests. */
const STACK_SLICE_SECONDS = 60;

/** Time that workers have to finish or send back their chunks, in milliseconds. */
const GRACE_MS = 4_000;

export async function work(options: WorkOptions): Promise<Work> {
  checkOptions(OPTIONS, options);
  const {
    workers: count = availableParallelism(),
    untilEmpty = false,
    onSlow,
    slowMs = SLOW_MS,
  } = options;
  checkWhole('workers', count, 1, 1000);
  const tasks = openTasks(options.tasks);
  const { endpoint, stack } = options;
  if (endpoint !== undefined && stack !== undefined) {
    throw new FanfoldError(
      'BadOption',
      'Workers receive chunks from a server (`endpoint`) or from a stack (`stack`): give only one of these options.',
    );
  }
  const site = await (stack === undefined ? serverSite(endpoint) : stackSite(stack));
  const { place, queues } = site;
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  const warn = warner(options);
  const sqs = sqsAt(place);
  const prefix = workerPrefix();
  const done = { ok: 0, failed: 0, attempts: 0 };
  const workers = new Workers({
    ...{ tasks, place, ...queues, sqs, count, prefix, tellingMs: slowMs },
    sliceSeconds: stack === undefined ? LOCAL_SLICE_SECONDS : STACK_SLICE_SECONDS,
    graceMs: GRACE_MS,
    onFailure: ended.reject,
    onLog: options.onLog,
    // The watch reports a server that does not answer, once for all workers.
    onTrouble: ({ message, passing }) => {
      if (!passing) warn(message);
    },
    onRan: (worker, ran) => {
      done.ok += ran.ok;
      done.failed += ran.failed;
      done.attempts += ran.attempts;
      for (const attempt of ran.slow) onSlow?.({ worker, ...attempt });
    },
  });
  const watch = new Watch({
    site,
    announced: { name: prefix, count },
    onAway: (reason) => warn(`${reason} Retrying until it responds.`),
    onBack: () =>
      warn(`The ${stack === undefined ? 'server at ' : ''}${site.name} responds again.`),
    onRefused: ended.reject,
    onEmpty: () => {
      if (untilEmpty) ended.resolve();
    },
  });
  const close = async () => {
    await watch.close();
    await workers.close();
    sqs.destroy();
  };
  const facts = await workers.ready.catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    place: site.name,
    tasks: facts.map(({ name }) => name),
    workers: count,
    done,
    get left() {
      return watch.left;
    },
    ended: ended.promise,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Prefix that makes worker names unique across machines, in results and in messages. */
function workerPrefix(): string {
  return `${hostname()
    .replace(/[^\w-]+/g, '-')
    .slice(0, 40)}-${process.pid}`;
}

/** Reports warnings, except for an immediate repetition of the last one. */
function warner({ onWarning }: WorkOptions): (message: string) => void {
  let last: string | undefined;
  return (message) => {
    if (message === last) return;
    last = message;
    if (onWarning) onWarning(message);
    else process.emitWarning(message, 'FanfoldWarning');
  };
}
