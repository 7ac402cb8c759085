import { availableParallelism, hostname } from 'node:os';
import { sqsAt } from '../endpoint/clients.ts';
import { FanfoldError } from '../errors.ts';
import { openTasks } from '../loading/tasks-module.ts';
import { Workers } from '../processes/workers.ts';
import { LOCAL_SLICE_SECONDS } from '../worlds/world.ts';
import { Watch } from './queue-watch.ts';
import { serverSite, stackSite } from './work-target.ts';

export interface WorkOptions {
  /** Where the server is, such as `http://127.0.0.1:9324`. @default FANFOLD_JOIN's */
  endpoint?: string | undefined;
  /** The name of a stack on AWS, instead of a server. */
  stack?: string | undefined;
  /** The tasks module, as a URL or a path. */
  tasks: URL | string;
  /** How many worker processes. @default the number of cores */
  workers?: number | undefined;
  /** Whether the work has ended when no chunk is left, waiting, delayed or worked on. @default false */
  untilEmpty?: boolean | undefined;
  /** Told of what went wrong and was mended, such as a server that is away. @default a process warning */
  onWarning?: ((message: string) => void) | undefined;
  /** Told of attempts that took over a second; of some only, where there are many at once. */
  onSlow?: ((attempt: SlowAttempt) => void) | undefined;
  /** Told whole lines of what tasks print. @default standard error has it, as it is written */
  onPrint?: ((lines: string) => void) | undefined;
}

/** An attempt at an input that took long. */
export interface SlowAttempt {
  worker: string;
  task: string;
  index: number;
  ok: boolean;
  ms: number;
}

/** This machine's workers at a server, or at a stack. */
export interface Work {
  /** Such as `http://127.0.0.1:9324`, or `stack Photos on AWS`. */
  readonly place: string;
  readonly tasks: readonly string[];
  readonly workers: number;
  /** What has been done here so far, in attempts at inputs. */
  readonly done: { readonly ok: number; readonly failed: number };
  /** Chunks in the server's task queue, those that are worked on included; undefined while it is away. */
  readonly left: number | undefined;
  /** Resolves when no chunk is left, with `untilEmpty`; rejects when the workers can't go on. */
  readonly ended: Promise<void>;
  /** Ends it within 5 s: workers finish the input in their hand, or hand it back with the rest. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Each slice costs requests on AWS, and others there keep a chunk for as long. */
const STACK_SLICE_SECONDS = 60;

/** How long workers may take to finish or hand back what they have, in milliseconds. */
const GRACE_MS = 4_000;

/**
 * Has worker processes on this machine take chunks from a server, or from a stack on AWS, until it
 * is closed. While the server is away they wait for it.
 *
 * @throws FanfoldError `RunFailed` when the server is not there or refuses the secret; `BadOption`,
 *   `BadTask`. Errors of AWS are the SDK's own, with a sentence
 */
export async function work(options: WorkOptions): Promise<Work> {
  const { workers: count = availableParallelism(), untilEmpty = false, onSlow } = options;
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    throw new FanfoldError(
      'BadOption',
      `\`workers\` is a whole number from 1 to 1000; ${count} is not.`,
    );
  }
  const tasks = openTasks(options.tasks);
  const { endpoint, stack } = options;
  if (endpoint !== undefined && stack !== undefined) {
    throw new FanfoldError(
      'BadOption',
      'Workers take from a server (`endpoint`) or from a stack (`stack`): give one of them.',
    );
  }
  const site = await (stack === undefined ? serverSite(endpoint) : stackSite(stack));
  const { place, queues } = site;
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  const warn = warner(options);
  const sqs = sqsAt(place);
  const done = { ok: 0, failed: 0 };
  const workers = new Workers({
    ...{ tasks, place, ...queues, sqs, count, prefix: workerPrefix(), telling: true },
    sliceSeconds: stack === undefined ? LOCAL_SLICE_SECONDS : STACK_SLICE_SECONDS,
    graceMs: GRACE_MS,
    onFailure: ended.reject,
    onPrint: options.onPrint,
    // Of a server that is away the watch tells, for all workers at once.
    onTrouble: ({ message, passing }) => {
      if (!passing) warn(message);
    },
    onRan: (worker, ran) => {
      done.ok += ran.ok;
      done.failed += ran.failed;
      for (const attempt of ran.slow) onSlow?.({ worker, ...attempt });
    },
  });
  const watch = new Watch({
    site,
    onAway: (reason) => warn(`${reason} Trying until it is back.`),
    onBack: () => warn(`The ${stack === undefined ? 'server at ' : ''}${site.name} is back.`),
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

/** Unique among all machines' workers: results and the server's user tell them apart by it. */
function workerPrefix(): string {
  return `${hostname()
    .replace(/[^\w-]+/g, '-')
    .slice(0, 40)}-${process.pid}`;
}

/** The same sentence again and again says nothing new. */
function warner({ onWarning }: WorkOptions): (message: string) => void {
  let last: string | undefined;
  return (message) => {
    if (message === last) return;
    last = message;
    if (onWarning) onWarning(message);
    else process.emitWarning(message, 'FanfoldWarning');
  };
}
