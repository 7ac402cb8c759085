import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { wait } from '../../retry.ts';
import type { AnyTask } from '../../task.ts';
import { isMissingQueue } from '../call-errors.ts';
import type { Chunk } from '../messages/chunk.ts';
import { widthOf } from '../messages/flow.ts';
import { PACED_MS } from '../messages/lane-chunks.ts';
import type { Payloads } from '../run/payloads.ts';
import type { RunControl, RunQueues } from '../run/run-queues.ts';
import { sendAll } from '../run/send.ts';
import type { AdaptivePace } from './adaptive-pace.ts';
import type { Attempt } from './attempt.ts';
import type { Claim } from './claim.ts';
import { type FailureWatch, watchOf } from './failure-watch.ts';
import { follow } from './follow.ts';
import { Hedging } from './hedging.ts';
import type { EndedAttempt, Held, LastWords } from './held.ts';
import { type Bounded, sendToLane } from './lanes.ts';
import { LargeValues } from './large.ts';
import type { WriteLog } from './log-line.ts';
import type { Outcome } from './outcome.ts';
import { failureOf, lineOf } from './outcome-line.ts';
import { paceOf, type Starts, together } from './pace.ts';
import { type Outbox, Report } from './report.ts';
import { messagesOf, PARTS, sendBack, stalled } from './resend.ts';
import { Retries } from './retries.ts';
import type { RunPaces } from './run-paces.ts';
import type { Setups } from './setups.ts';
import type { TaskMessage, Verdict } from './task-message.ts';
import { Execution } from './task-runner.ts';
import { watching } from './watching.ts';

export interface HandlingOptions {
  sqs: SQSClient;
  taskQueueUrl: string;
  sliceSeconds: number;
  runs: RunQueues;
  chunk: Chunk;
  task: AnyTask;
  message: TaskMessage;
  claim: Claim;
  outbox: Outbox;
  setups: Setups;
  paces: RunPaces;
  payloads?: Payloads | undefined;
  /** What was set for the run when it was decided that the chunk runs here. */
  control: RunControl;
  /** The run's bounds, and the lane that the chunk was received in. @default none */
  bounded?: Bounded | undefined;
  /** Milliseconds until this process must have ended. Without it, there is no limit. */
  remainingMs?: (() => number) | undefined;
  onEnded?: ((ended: EndedAttempt) => void) | undefined;
  onAlmostFree?: (() => void) | undefined;
  writeLog?: WriteLog | undefined;
}

/** Delay of a chunk whose run's queue seems to be gone, until the next lookup. */
export const UNSURE_SECONDS = 15;

/** Time at the end of a process that is reserved for reporting, in milliseconds. */
const FAREWELL_MS = 5_000;

/** Time for which another chunk may wait for this one, in milliseconds. */
const MOMENT_MS = 100;

/** Interval of asking whether another item may start: that reads three clocks. */
const ASK_MS = 1;

/** Whether an item that starts now has its full timeout before its process must end. */
export function mayEnd({ timeoutSeconds }: AnyTask, remainingMs: (() => number) | undefined) {
  return !remainingMs || remainingMs() > timeoutSeconds * 1000 + FAREWELL_MS;
}

/**
 * The execution of one chunk. First its items run, for one slice at most and only while the claim
 * covers the next item; results are reported meanwhile. Then, unless the claim was lost, failed
 * items are sent for another attempt, and items that were not started are sent back.
 */
export class ChunkExecution implements Held {
  readonly message: TaskMessage;
  readonly #options: HandlingOptions;
  readonly #execution: Execution;
  readonly #report: Report;
  /** Start of its items, in the claim's time. */
  #startedMs: number;
  /** Time at which another item could last start. */
  #askedAtMs = Number.NEGATIVE_INFINITY;
  readonly #stopped = Promise.withResolvers<void>();
  #inSetup = false;
  readonly #retries: Retries;
  /** Indexes whose further attempts SQS has accepted. */
  #moved: number[] = [];
  #finished = 0;
  /** The longest attempt so far, in milliseconds. */
  #slowestMs = 0;
  #ranMs = 0;
  readonly #pace: Starts | undefined;
  readonly #adaptive: AdaptivePace | undefined;
  /** Of a run that pauses itself when its inputs fail. */
  readonly #watch: FailureWatch | undefined;
  #sliceMs: number;
  readonly #expiresAt: number;
  readonly #hedging: Hedging;

  constructor(options: HandlingOptions) {
    const { chunk, task, claim, bounded, control, sliceSeconds } = options;
    this.message = options.message;
    this.#options = options;
    this.#startedMs = claim.heldMs;
    this.#expiresAt = Math.max(chunk.expiresAt, control.expiresAt ?? 0);
    this.#retries = new Retries(task, chunk);
    const pace = bounded && paceOf(bounded);
    this.#adaptive = task.adaptive ? options.paces.of(chunk.runId).adaptive : undefined;
    this.#watch = watchOf(options, () => this.stop());
    this.#pace = together(pace, this.#adaptive);
    this.#sliceMs = Math.max(sliceSeconds * 1000, pace ? PACED_MS : 0);
    this.#execution = new Execution(task, chunk, {
      concurrency: bounded ? widthOf(bounded.flow, bounded.lane, task.concurrency) : undefined,
      pace: this.#pace,
      onSettled: (outcome) => this.#take(outcome),
      onLastRunning: () => this.#lastRuns(),
      mayStart: (waitMs) => this.#mayStart(waitMs),
      writeLog: options.writeLog,
      large: new LargeValues(options.payloads, chunk.runId),
    });
    this.#hedging = new Hedging(options, this.#execution);
    this.#report = new Report(options.outbox, () => this.#execution.stop());
  }

  get outbox(): Outbox {
    return this.#options.outbox;
  }

  lastWords(culprit: Attempt | undefined): LastWords {
    const moved = new Set(this.#moved);
    const items = this.#inSetup && culprit === undefined ? this.#options.chunk.items : undefined;
    return {
      suspects: items?.map(({ index }) => index) ?? this.#execution.suspects(culprit),
      again: this.#retries.indexes.filter((index) => !moved.has(index)),
      settled: [...this.#report.reported, ...moved],
    };
  }

  /** Number of functions that are still running after their timeout. */
  get stuck(): number {
    return this.#execution.stuck;
  }

  stop(): void {
    this.#execution.stop();
    this.#stopped.resolve();
  }

  interrupt(reason: unknown): void {
    this.#execution.interrupt(reason);
    this.#stopped.resolve();
  }

  /** Resolves when all items have ended, or no further one may start. */
  async run(): Promise<void> {
    const { claim, runs, chunk, control } = this.#options;
    const execution = this.#execution;
    const ended = follow(runs, chunk, control, {
      mayStart: () => !execution.closed && execution.left.length > 0,
      onChange: () => this.stop(),
      onHedge: (ms, round) => void this.#hedging.look(ms, round).catch(() => {}),
    });
    await this.#run().finally(ended);
    this.#ranMs = claim.heldMs - this.#startedMs;
    if (this.#ranMs >= this.#sliceMs && execution.left.length > 0) this.outbox.sliced();
  }

  async #run(): Promise<void> {
    const execution = this.#execution;
    const { task, claim } = this.#options;
    if (this.#watch) await this.#watch.mayBegin(this.#stopped.promise);
    if (task.setup && !(await this.#setUp())) return;
    // What was waited for since the chunk was received, such as a call that hung, may have taken
    // longer than the claim.
    if (!(await claim.hold(task.timeoutSeconds))) return;
    await execution.run();
    const hasTime = () => this.#hasTime(claim.heldMs + (this.#pace?.waitMs ?? 0));
    // If there is time for the items that are left, they wait for a claim that covers them.
    while (execution.left.length > 0 && !execution.closed && hasTime()) {
      if (!(await claim.hold(task.timeoutSeconds))) break;
      await execution.run();
    }
  }

  /** Others wait for this worker: a chunk that is kept longer for its pace ends as others do. */
  hurry(): void {
    this.#sliceMs = this.#options.sliceSeconds * 1000;
  }

  /** Resolves when SQS has accepted all results and resends of the chunk. */
  async settle(): Promise<Verdict> {
    const { sqs, taskQueueUrl, chunk, claim, bounded, message } = this.#options;
    await this.#watch?.flush();
    try {
      await this.#report.finish();
    } catch (error) {
      if (!isMissingQueue(error)) throw error;
      return this.#lostQueue();
    }
    // Code that an attempt left behind may end this process, whose supervisor then sends retries
    // too.
    if (this.#retries.size > 0) await wait(0);
    // Another worker may have the chunk by now and send the same: the copies must not multiply.
    if (claim.lost) return 'keep';
    const left = this.#execution.left.filter(({ index }) => !this.#hedging.elsewhere.has(index));
    const rest = {
      ...(this.#finished > 0
        ? { ...chunk, stalled: undefined }
        : stalled(this.#options, chunk, 'worker')),
      begun: chunk.begun === true || message.receiveCount > 1,
    };
    await sendAll(sqs, taskQueueUrl, [
      ...this.#retries.messages(serviceNow(sqs)),
      ...(bounded
        ? []
        : messagesOf(rest, left, Math.ceil(left.length / this.#slices(left.length)))),
    ]);
    if (bounded && left.length > 0) {
      await sendToLane(this.#options, { ...rest, items: left }, bounded.lane);
    }
    this.#moved = this.#retries.indexes;
    return 'done';
  }

  /** Sets the task up, unless this process has done so. Returns false if no item may run. */
  async #setUp(): Promise<boolean> {
    const { task, claim, setups, remainingMs } = this.#options;
    const late = Promise.withResolvers<void>();
    const timer = remainingMs && setTimeout(late.resolve, remainingMs() - FAREWELL_MS);
    this.#inSetup = true;
    try {
      const waited = [this.#stopped.promise, late.promise];
      await Promise.race([setups.of(task).then((made) => this.#execution.use(made)), ...waited]);
    } catch (error) {
      this.#execution.fail(error);
      return false;
    } finally {
      this.#inSetup = false;
      clearTimeout(timer);
    }
    // The claim and the remaining time have changed meanwhile; a slice is for the items only.
    this.#startedMs = claim.heldMs;
    if (!this.#execution.isReady || this.#execution.closed) return false;
    return mayEnd(task, remainingMs);
  }

  #take(ended: Outcome): void {
    const { task, chunk, onEnded } = this.#options;
    this.#finished++;
    if (ended.ms > this.#slowestMs) this.#slowestMs = ended.ms;
    if (!ended.ok && ended.failure.later) {
      this.#adaptive?.slowDown(performance.now() - ended.ms);
    }
    const outcome = this.#watch?.ended(ended) ?? ended;
    const again = this.#retries.add(outcome);
    if (onEnded) {
      const about = { runId: chunk.runId, task: task.name, attempt: chunk.attempt };
      const failure = outcome.ok ? undefined : failureOf(outcome.failure);
      watching(() => onEnded({ ...about, index: outcome.index, ms: outcome.ms, failure, again }));
    }
    if (again) return;
    const { index, ok, ms } = outcome;
    this.#report.add(index, lineOf(outcome, chunk.attempt), ok, ms);
  }

  /** Its worker is free in a moment, if the last items are as quick as those before. */
  #lastRuns(): void {
    const { onAlmostFree } = this.#options;
    if (onAlmostFree === undefined || this.#finished === 0 || this.#slowestMs > MOMENT_MS) return;
    watching(onAlmostFree);
  }

  #mayStart(waitMs: number): boolean {
    const nowMs = performance.now();
    if (waitMs === 0 && nowMs - this.#askedAtMs < ASK_MS) return true;
    const { claim, task } = this.#options;
    const heldMs = claim.heldMs + waitMs;
    if (!this.#hasTime(heldMs) || !claim.covers(task.timeoutSeconds, heldMs)) return false;
    this.#askedAtMs = nowMs + waitMs;
    return true;
  }

  #hasTime(heldMs: number): boolean {
    if (heldMs - this.#startedMs >= this.#sliceMs) return false;
    // Its pauses may be long.
    if (this.#pace && serviceNow(this.#options.sqs) > this.#expiresAt) return false;
    return mayEnd(this.#options.task, this.#options.remainingMs);
  }

  /** Number of parts to cut the rest into: the further slices that it needs at the pace so far. */
  #slices(left: number): number {
    const needed = (left * this.#ranMs) / Math.max(1, this.#finished) / this.#sliceMs;
    return Math.max(1, Math.min(PARTS, Math.ceil(needed)));
  }

  /** Handles a run's queue that went missing: the run is over, or the chunk checks again later. */
  async #lostQueue(): Promise<Verdict> {
    const { chunk, claim, runs } = this.#options;
    if (runs.missing(chunk) === 'over') return 'done';
    if (claim.lost) return 'keep';
    const accepted = new Set(this.#report.accepted);
    const rest = chunk.items.filter(({ index }) => !accepted.has(index));
    await sendBack(this.#options, stalled(this.#options, chunk, 'run'), rest, 1, UNSURE_SECONDS);
    return 'done';
  }
}
