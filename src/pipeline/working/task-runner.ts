import { laterSecondsOf } from '../../retry-later.ts';
import type { AnyTask } from '../../task.ts';
import { describeThrown } from '../../thrown.ts';
import type { Chunk, ChunkItem, ReceivedItem } from '../messages/chunk.ts';
import type { Failure } from '../messages/result.ts';
import { Attempt, atWork } from './attempt.ts';
import { type WriteLog, writeToConsole } from './log-line.ts';
import { outputText } from './output-text.ts';
import type { Starts } from './pace.ts';
import { decisionOn, type RetryDecision } from './retry-decision.ts';
import { checked, InvalidInput } from './schema.ts';
import { isThenable } from './thenable.ts';

/** Outcome of one attempt at one input. */
export type Outcome =
  | { index: number; ok: true; output: string; ms: number }
  | { index: number; ok: false; item: ChunkItem; failure: AttemptFailure; ms: number };

/** Failure of an attempt, and whether another one may help. */
export interface AttemptFailure extends Omit<Failure, 'attempts'> {
  retryable: boolean;
  /** Wait before the next one, in seconds. @default the task's backoff */
  delaySeconds?: number | undefined;
  /** Whether this attempt does not count. */
  later?: boolean;
}

/** Longest pause before the first item that an execution makes in any case, in milliseconds. */
const LONGEST_FIRST_MS = 20_000;

export interface ExecutionOptions {
  /** Inputs that run at once. @default the task's */
  concurrency?: number | undefined;
  /** Spaces the starts. @default each starts as soon as there is room */
  pace?: Starts | undefined;
  onSettled: (outcome: Outcome) => void;
  /** Whether another item may start after a wait: called before each but the first. */
  mayStart: (waitMs: number) => boolean;
  /** @default the console */
  writeLog?: WriteLog | undefined;
}

/**
 * Runs the task over one chunk's items, in order, at most `concurrency` at once.
 *
 * An item waits, runs, and is settled by what its function returns or throws, or by its timeout,
 * whichever comes first. A function that runs past its timeout is `stuck`; its later result is
 * dropped. `mayStart` is called before each item but the first, so that every execution gets
 * something done. If it returns false, `run` ends, and the items that still wait are `left`. `run`
 * may be called again.
 *
 * An error that is thrown when an item's text is parsed, its function is called or its outcome is
 * reported fails that item. `run` rejects only if that failure can't be reported either.
 *
 * A million small items pass through here, so a function that returns at once costs no promise, and
 * all running items share one timer.
 */
export class Execution {
  readonly #task: AnyTask;
  readonly #chunk: Chunk;
  readonly #options: ExecutionOptions;
  /** Inputs that run at once. */
  readonly concurrency: number;
  readonly #writeLog: WriteLog;
  readonly #running = new Set<Attempt>();
  readonly #stuck = new Set<Attempt>();
  readonly #interrupted: ReceivedItem[] = [];
  /** Whether the resources of the task's setup are available. */
  isReady = false;
  #resources: unknown;
  #next = 0;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Ends the wait for the next start. */
  #pacing: ReturnType<typeof setTimeout> | undefined;
  #done: PromiseWithResolvers<void> | undefined;
  #broken: { error: unknown } | undefined;

  constructor(task: AnyTask, chunk: Chunk, options: ExecutionOptions) {
    this.#task = task;
    this.#chunk = chunk;
    this.#options = options;
    this.concurrency = options.concurrency ?? task.concurrency;
    this.#writeLog = options.writeLog ?? writeToConsole;
  }

  /** Sets the resources that the task's setup has made. */
  use(resources: unknown): void {
    this.#resources = resources;
    this.isReady = true;
  }

  /** Fails all items that have not started: their task can't be set up. */
  fail(thrown: unknown): void {
    const waiting = this.#chunk.items.slice(this.#next);
    this.#next += waiting.length;
    for (const item of waiting) this.#fail(new Attempt(this.#chunk, item, this.#writeLog), thrown);
  }

  /** Resolves when nothing is running and nothing more may start. */
  run(): Promise<void> {
    this.#done = Promise.withResolvers();
    this.#advance();
    return this.#done.promise;
  }

  /**
   * Indexes of the items that the process may die of: those that are running or, with a culprit,
   * that one alone, if it is running.
   */
  suspects(culprit: Attempt | undefined): number[] {
    const running = [...this.#running, ...(calling?.isOf(this.#chunk) ? [calling] : [])];
    return running
      .filter((attempt) => culprit === undefined || attempt === culprit)
      .map(({ index }) => index);
  }

  /** The items that were not started, or were interrupted. */
  get left(): Chunk['items'] {
    return [...this.#interrupted, ...this.#chunk.items.slice(this.#next)];
  }

  /** The items that have been running for a time. */
  runningFor(ms: number): ReceivedItem[] {
    const running = [...this.#running].filter((attempt) => attempt.elapsed() >= ms);
    return running.map(({ item }) => item);
  }

  /** Whether it was stopped: it starts nothing more, even if it is run again. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Number of functions that are still running after their timeout. */
  get stuck(): number {
    return this.#stuck.size;
  }

  /** Starts no further item. */
  stop(): void {
    this.#closed = true;
    if (this.#pacing !== undefined) this.#advance();
  }

  /** Starts no further item and abandons running ones: their signals abort, and they are `left`. */
  interrupt(reason: unknown): void {
    this.#closed = true;
    for (const attempt of this.#running) {
      this.#running.delete(attempt);
      this.#stuck.add(attempt);
      this.#interrupted.push(attempt.item);
      attempt.abort(reason);
    }
    this.#advance();
  }

  #advance(): void {
    const { items } = this.#chunk;
    const { pace, mayStart } = this.#options;
    clearTimeout(this.#pacing);
    this.#pacing = undefined;
    while (this.#running.size < this.concurrency && this.#next < items.length) {
      const waitMs = pace?.waitMs ?? 0;
      const mustStart = this.#next === 0 && waitMs <= LONGEST_FIRST_MS;
      if (this.#closed || !(mustStart || mayStart(waitMs))) break;
      if (waitMs > 0) {
        this.#pacing = setTimeout(() => this.#advance(), Math.ceil(waitMs));
        return;
      }
      pace?.started();
      const item = items[this.#next++] as ReceivedItem;
      this.#start(new Attempt(this.#chunk, item, this.#writeLog));
    }
    if (this.#running.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#broken) this.#done?.reject(this.#broken.error);
    else this.#done?.resolve();
  }

  #start(attempt: Attempt): void {
    let returned: unknown;
    let promised: Promise<unknown> | undefined;
    // A function may end the process before it returns.
    calling = attempt;
    try {
      returned = SYNCHRONOUS.has(this.#task)
        ? call(this.#task, attempt, this.#resources)
        : atWork.run(attempt, call, this.#task, attempt, this.#resources);
      // A thenable that is not a real promise may throw, or call back twice.
      if (isThenable(returned)) promised = Promise.resolve(returned);
    } catch (thrown) {
      calling = undefined;
      this.#fail(attempt, thrown);
      return;
    }
    calling = undefined;
    if (promised === undefined) {
      SYNCHRONOUS.add(this.#task);
      this.#succeed(attempt, returned);
      return;
    }
    SYNCHRONOUS.delete(this.#task);
    this.#running.add(attempt);
    this.#timer ??= setTimeout(() => this.#expire(), this.#task.timeoutSeconds * 1000);
    promised.then(
      (output) => this.#leave(attempt, () => this.#succeed(attempt, output)),
      (thrown) => this.#leave(attempt, () => this.#fail(attempt, thrown)),
    );
  }

  /** Ends an item that was running. If it timed out before, that has been reported already. */
  #leave(attempt: Attempt, report: () => void): void {
    this.#stuck.delete(attempt);
    if (!this.#running.delete(attempt)) return;
    report();
    this.#advance();
  }

  /**
   * Fails the items that have timed out, and sets the timer for the next: they run in starting
   * order.
   */
  #expire(): void {
    this.#timer = undefined;
    const limit = this.#task.timeoutSeconds * 1000;
    const now = performance.now();
    for (const attempt of this.#running) {
      const rest = attempt.startedAt + limit - now;
      if (rest > 0) {
        this.#timer = setTimeout(() => this.#expire(), Math.ceil(rest));
        break;
      }
      this.#running.delete(attempt);
      this.#stuck.add(attempt);
      const seconds = this.#task.timeoutSeconds;
      const error = new DOMException(
        `The attempt took longer than the task's timeoutSeconds, ${seconds} s.`,
        'TimeoutError',
      );
      attempt.abort(error);
      const { name, message } = error;
      const { retryable, delaySeconds } = decisionOn(this.#task, error, attempt.attempt);
      this.#reportFailure(attempt, { code: 'TimedOut', name, message, retryable, delaySeconds });
    }
    this.#advance();
  }

  #succeed(attempt: Attempt, output: unknown): void {
    const ms = attempt.elapsed();
    const text = outputText(output);
    if (typeof text !== 'string') {
      this.#reportFailure(attempt, { name: 'TypeError', ...text, retryable: true });
      return;
    }
    try {
      this.#options.onSettled({ index: attempt.index, ok: true, output: text, ms });
    } catch (thrown) {
      this.#fail(attempt, thrown);
    }
  }

  #fail(attempt: Attempt, thrown: unknown): void {
    if (isInvalidInput(thrown)) {
      const { name, message } = thrown;
      this.#reportFailure(attempt, { code: 'InvalidInput', name, message, retryable: false });
      return;
    }
    const laterSeconds = laterSecondsOf(thrown);
    const { error = thrown, ...again }: RetryDecision =
      laterSeconds === undefined
        ? decisionOn(this.#task, thrown, attempt.attempt)
        : { retryable: true, delaySeconds: laterSeconds, later: true };
    const { code: errorCode, ...described } = describeThrown(error);
    this.#reportFailure(attempt, { code: 'TaskFailed', ...described, errorCode, ...again });
  }

  #reportFailure(attempt: Attempt, failure: AttemptFailure): void {
    const { index, item } = attempt;
    try {
      this.#options.onSettled({ index, ok: false, item, failure, ms: attempt.elapsed() });
    } catch (error) {
      this.#broken ??= { error };
      this.#closed = true;
    }
  }
}

/**
 * Tasks that returned synchronously the last time, and probably will again. Making the attempt
 * known to the code that they call would take longer than such a task.
 */
const SYNCHRONOUS = new WeakSet<AnyTask>();

/** The attempt whose function has been called and has not returned yet. */
let calling: Attempt | undefined;

/** The attempt that the running code belongs to, if that is known. */
export function currentAttempt(): Attempt | undefined {
  return calling ?? atWork.getStore();
}

/** A thrown value may itself throw when it is inspected. */
function isInvalidInput(thrown: unknown): thrown is InvalidInput {
  try {
    return thrown instanceof InvalidInput;
  } catch {
    return false;
  }
}

/** Calls the task's function with the input, as its schema returns it if there is one. */
function call(task: AnyTask, attempt: Attempt, resources: unknown): unknown {
  if (task.input === undefined) return task.run(attempt.input, attempt, resources);
  const input = checked(task.input, attempt.input);
  return input instanceof Promise
    ? input.then((value) => task.run(value, attempt, resources))
    : task.run(input.value, attempt, resources);
}
