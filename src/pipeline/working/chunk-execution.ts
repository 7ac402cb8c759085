import type { SQSClient } from '@aws-sdk/client-sqs';
import { wait } from '../../retry.ts';
import type { AnyTask } from '../../task.ts';
import { isMissingQueue } from '../call-errors.ts';
import type { Chunk, ChunkItem } from '../messages/chunk.ts';
import { type Failure, failedLine, okLine } from '../messages/result.ts';
import type { RunQueues } from '../run/queues.ts';
import { sendAll } from '../run/send.ts';
import type { Attempt } from './attempt.ts';
import type { WriteLog } from './log-line.ts';
import type { Claim } from './claim.ts';
import { type Outbox, Report } from './report.ts';
import { furtherAttempts, messagesOf, PARTS, sendBack, stalled } from './resend.ts';
import type { Setups } from './setups.ts';
import { type AttemptFailure, Execution, type Outcome } from './task-runner.ts';
import { watching } from './watching.ts';

/** A task message as a worker received it. */
export interface TaskMessage {
  id: string;
  body: string;
  receiptHandle: string;
  /** Number of times that SQS has delivered it, from 1. */
  receiveCount: number;
}

/**
 * Verdict on a task message. `done`: SQS has accepted all of its results and resends, so it must be
 * deleted. `keep`: another worker has it or will get it.
 */
export type Verdict = 'done' | 'keep';

/** Last report of a dying process on a chunk that it holds. */
export interface LastWords {
  /** Indexes of the items that it may have died of: they were running, or about to run. */
  suspects: number[];
  /** Indexes of the items whose attempts failed and must be made again. */
  again: number[];
  /** Indexes whose results or further attempts are in SQS or among the unsent messages. */
  settled: number[];
}

/** A chunk that a worker holds, as it is when the worker's process dies. */
export interface Held {
  readonly message: TaskMessage;
  readonly outbox: Outbox;
  /** @param culprit the attempt that the process dies of, if known */
  lastWords(culprit: Attempt | undefined): LastWords;
}

/** An attempt at one input that has ended, as reported to observers of a worker. */
export interface EndedAttempt {
  runId: string;
  task: string;
  index: number;
  attempt: number;
  ms: number;
  /** The failure; undefined if it is ok. */
  failure: Omit<Failure, 'attempts'> | undefined;
  /** Whether the input will be tried again. */
  again: boolean;
}

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
  /** Milliseconds until this process must have ended. Without it, there is no limit. */
  remainingMs?: (() => number) | undefined;
  onEnded?: ((ended: EndedAttempt) => void) | undefined;
  writeLog?: WriteLog | undefined;
}

/** Delay of a chunk whose run's queue seems to be gone, until the next lookup. */
export const UNSURE_SECONDS = 15;

/** Time at the end of a process that is reserved for reporting, in milliseconds. */
const FAREWELL_MS = 5_000;

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
  readonly #stopped = Promise.withResolvers<void>();
  #inSetup = false;
  /** Items whose attempts failed and must be made again. */
  readonly #again: ChunkItem[] = [];
  /** Indexes whose further attempts SQS has accepted. */
  #moved: number[] = [];
  #finished = 0;
  #ranMs = 0;

  constructor(options: HandlingOptions) {
    const { chunk, task, claim } = options;
    this.message = options.message;
    this.#options = options;
    this.#startedMs = claim.heldMs;
    this.#execution = new Execution(
      task,
      chunk,
      (outcome) => this.#take(outcome),
      () => {
        const { heldMs } = claim;
        return this.#hasTime(heldMs) && claim.covers(task.timeoutSeconds, heldMs);
      },
      options.writeLog,
    );
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
      again: this.#again.map(({ index }) => index).filter((index) => !moved.has(index)),
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
    const execution = this.#execution;
    const { task, claim } = this.#options;
    if (task.setup && !(await this.#setUp())) return;
    await execution.run();
    // If there is time for the items that are left, they wait for a claim that covers them.
    while (execution.left.length > 0 && !execution.closed && this.#hasTime(claim.heldMs)) {
      if (!(await claim.hold(task.timeoutSeconds))) break;
      await execution.run();
    }
    this.#ranMs = claim.heldMs - this.#startedMs;
  }

  /** Resolves when SQS has accepted all results and resends of the chunk. */
  async settle(): Promise<Verdict> {
    const { sqs, taskQueueUrl, chunk, task, claim } = this.#options;
    try {
      await this.#report.finish();
    } catch (error) {
      if (!isMissingQueue(error)) throw error;
      return this.#lostQueue();
    }
    // Code that an attempt left behind may end this process, whose supervisor then sends retries
    // too.
    if (this.#again.length > 0) await wait(0);
    // Another worker may have the chunk by now and send the same: the copies must not multiply.
    if (claim.lost) return 'keep';
    const { left } = this.#execution;
    const rest =
      this.#finished > 0
        ? { ...chunk, stalled: undefined }
        : stalled(this.#options, chunk, 'worker');
    await sendAll(sqs, taskQueueUrl, [
      ...furtherAttempts(task, chunk, this.#again),
      ...messagesOf(rest, left, Math.ceil(left.length / this.#slices(left.length))),
    ]);
    this.#moved = this.#again.map(({ index }) => index);
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
    return mayEnd(task, remainingMs) && (await claim.hold(task.timeoutSeconds));
  }

  #take(outcome: Outcome): void {
    const { task, chunk, onEnded } = this.#options;
    this.#finished++;
    const again = !outcome.ok && outcome.failure.retryable && chunk.attempt < task.maxAttempts;
    if (onEnded) {
      const { runId, attempt } = chunk;
      const { index, ms } = outcome;
      const failure = outcome.ok ? undefined : failureOf(outcome.failure);
      watching(() => onEnded({ runId, task: task.name, index, attempt, ms, failure, again }));
    }
    if (again) {
      this.#again.push(outcome.item);
    } else {
      this.#report.add(outcome.index, lineOf(outcome, chunk.attempt), outcome.ok);
    }
  }

  #hasTime(heldMs: number): boolean {
    const { sliceSeconds, remainingMs, task } = this.#options;
    if (heldMs - this.#startedMs >= sliceSeconds * 1000) return false;
    return mayEnd(task, remainingMs);
  }

  /** Number of parts to cut the rest into: the further slices that it needs at the pace so far. */
  #slices(left: number): number {
    const { sliceSeconds } = this.#options;
    const needed = (left * this.#ranMs) / Math.max(1, this.#finished) / (sliceSeconds * 1000);
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

function lineOf(outcome: Outcome, attempts: number): string {
  if (outcome.ok) return okLine(outcome.index, outcome.output, outcome.ms);
  return failedLine(outcome.index, { ...failureOf(outcome.failure), attempts }, outcome.ms);
}

function failureOf({ retryable: _, ...failure }: AttemptFailure): Omit<Failure, 'attempts'> {
  return failure;
}
