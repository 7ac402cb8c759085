import type { AnyTask } from '../../task.ts';
import type { Chunk, ReceivedItem } from '../messages/chunk.ts';
import type { OutputPayload, Payload } from '../messages/payload.ts';
import { Attempt, atWork } from './attempt.ts';
import { failureOfThrown, failureOfTimeout, timeoutOf } from './attempt-failure.ts';
import { LargeValues } from './large.ts';
import { type WriteLog, writeToConsole } from './log-line.ts';
import type { AttemptFailure, Outcome } from './outcome.ts';
import { outputText } from './output-text.ts';
import { LONGEST_FIRST_MS, type Starts } from './pace.ts';
import { call } from './task-call.ts';
import { isThenable } from './thenable.ts';

export interface ExecutionOptions {
  /** Inputs that run at once. @default the task's */
  concurrency?: number | undefined;
  /** Spaces the starts. @default each starts as soon as there is room */
  pace?: Starts | undefined;
  onSettled: (outcome: Outcome) => void;
  /** Called while items run of which no further one waits. @default nothing happens */
  onLastRunning?: (() => void) | undefined;
  /** Whether another item may start after a wait: called before each but the first. */
  mayStart: (waitMs: number) => boolean;
  /** @default the console */
  writeLog?: WriteLog | undefined;
  /** Moves inputs and outputs that no message can hold. @default such outputs fail */
  large?: LargeValues | undefined;
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
  readonly #large: LargeValues;
  /** Attempts that have ended, and whose large outputs are being stored. */
  readonly #storing = new Set<Attempt>();
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
    this.#large = options.large ?? new LargeValues(undefined, chunk.runId);
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

  /** Whether it was stopped. */
  get closed(): boolean {
    return this.#closed;
  }

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
      this.#strand(attempt);
      this.#interrupted.push(attempt.item);
      attempt.abort(reason);
    }
    for (const { item } of this.#storing) this.#interrupted.push(item);
    this.#storing.clear();
    this.#advance();
  }

  #advance(): void {
    const { items } = this.#chunk;
    const { pace, mayStart } = this.#options;
    clearTimeout(this.#pacing);
    this.#pacing = undefined;
    while (this.#busy < this.concurrency && this.#next < items.length) {
      const item = items[this.#next] as ReceivedItem;
      if (this.#large.mustWait(item)) break;
      const waitMs = pace?.waitMs ?? 0;
      const mustStart = this.#next === 0 && waitMs <= LONGEST_FIRST_MS;
      if (this.#closed || !(mustStart || mayStart(waitMs))) break;
      if (waitMs > 0) {
        this.#pacing = setTimeout(() => this.#advance(), Math.ceil(waitMs));
        return;
      }
      pace?.started();
      this.#next++;
      const attempt = new Attempt(this.#chunk, item, this.#writeLog);
      if (item.payload) this.#follow(attempt, this.#fetchAndCall(attempt, item.payload));
      else this.#start(attempt);
    }
    if (this.#busy > 0) {
      if (this.#next === items.length) this.#options.onLastRunning?.();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#broken) this.#done?.reject(this.#broken.error);
    else this.#done?.resolve();
  }

  get #busy(): number {
    return this.#running.size + this.#storing.size;
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
    this.#follow(attempt, promised);
  }

  async #fetchAndCall(attempt: Attempt, payload: Payload): Promise<unknown> {
    attempt.use(await this.#large.load(attempt.index, payload));
    if (!this.#running.has(attempt)) return undefined;
    return atWork.run(attempt, call, this.#task, attempt, this.#resources);
  }

  #follow(attempt: Attempt, promised: Promise<unknown>): void {
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
    this.#large.left(attempt.item);
    report();
    this.#advance();
  }

  /** Gives up an attempt whose function goes on. */
  #strand(attempt: Attempt): void {
    this.#running.delete(attempt);
    this.#large.left(attempt.item);
    this.#stuck.add(attempt);
  }

  /** Fails the items that have timed out, and sets the timer for the next in starting order. */
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
      this.#strand(attempt);
      const error = timeoutOf(this.#task);
      attempt.abort(error);
      this.#reportFailure(attempt, failureOfTimeout(error, this.#task, attempt.attempt));
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
    if (this.#large.isLarge(text)) this.#store(attempt, text, ms);
    else this.#report(attempt, text, ms);
  }

  #report(attempt: Attempt, output: string | OutputPayload, ms: number): void {
    try {
      this.#options.onSettled({ index: attempt.index, ok: true, output, ms });
    } catch (thrown) {
      this.#fail(attempt, thrown);
    }
  }

  /** Stores an output that no message can hold. Its input occupies its place until then. */
  #store(attempt: Attempt, text: string, ms: number): void {
    this.#storing.add(attempt);
    const stored = (report: () => void) => {
      if (!this.#storing.delete(attempt)) return;
      report();
      this.#advance();
    };
    this.#large.store(attempt.index, text).then(
      (payload) => stored(() => this.#report(attempt, payload, ms)),
      (error) => stored(() => this.#fail(attempt, error)),
    );
  }

  #fail(attempt: Attempt, thrown: unknown): void {
    this.#reportFailure(attempt, failureOfThrown(thrown, this.#task, attempt.attempt));
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
