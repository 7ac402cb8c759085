import type { SQSClient } from '@aws-sdk/client-sqs';
import { wait } from '../../retry.ts';
import type { AnyTask } from '../../task.ts';
import { isMissingQueue } from '../call-errors.ts';
import type { Chunk, ChunkItem } from '../messages/chunk.ts';
import { type Failure, failedLine, okLine } from '../messages/result.ts';
import type { RunQueues } from '../run/queues.ts';
import { sendAll } from '../run/send.ts';
import type { Attempt, WriteLog } from './attempt.ts';
import type { Claim } from './claim.ts';
import { type Outbox, Report } from './report.ts';
import { furtherAttempts, messagesOf, PARTS, sendBack, stalled } from './resend.ts';
import type { Setups } from './setups.ts';
import { type AttemptFailure, Execution, type Outcome } from './task-runner.ts';
import { watching } from './watching.ts';

/** A task message as a worker has it. */
export interface TaskMessage {
  id: string;
  body: string;
  receiptHandle: string;
  /** How often SQS has given it out: 1 at first. */
  receiveCount: number;
}

/**
 * What is to become of the task message: `done`, everything that came of it is with SQS, delete
 * it; `keep`, another worker has it or will get it.
 */
export type Verdict = 'done' | 'keep';

/** What a process can still say of a chunk in its hand when it dies. */
export interface LastWords {
  /** Indexes of the items that it may have died on: they were running, or were about to. */
  suspects: number[];
  /** Indexes whose attempts failed and are to be made again. */
  again: number[];
  /** Indexes whose results, or whose further attempts, are with SQS or among the unsent messages. */
  settled: number[];
}

/** A chunk in a worker's hand, as it is when the worker's process dies. */
export interface Held {
  readonly message: TaskMessage;
  readonly outbox: Outbox;
  /** @param culprit what the process dies of, where that is known */
  lastWords(culprit: Attempt | undefined): LastWords;
}

/** An attempt at one input that has ended, as whoever watches a worker is told. */
export interface EndedAttempt {
  runId: string;
  task: string;
  index: number;
  attempt: number;
  ms: number;
  /** Why it failed; undefined when it is ok. */
  failure: Omit<Failure, 'attempts'> | undefined;
  /** Whether the input is to be tried again. */
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
  /** Milliseconds until this process must have ended; without it there is no such limit. */
  remainingMs?: (() => number) | undefined;
  onEnded?: ((ended: EndedAttempt) => void) | undefined;
  writeLog?: WriteLog | undefined;
}

/** How long a chunk waits whose run's queue seems to be gone, until somebody looks again. */
export const UNSURE_SECONDS = 15;

/** What a worker keeps of its process's last moments for reporting, in milliseconds. */
const FAREWELL_MS = 5_000;

/** Whether an item that begins now, and takes as long as it may, ends before its process must. */
export function mayEnd({ timeoutSeconds }: AnyTask, remainingMs: (() => number) | undefined) {
  return !remainingMs || remainingMs() > timeoutSeconds * 1000 + FAREWELL_MS;
}

/**
 * One chunk in a worker's hand. First its items run, for a slice at most and as long as the claim
 * covers the next one; meanwhile results are reported. Then, unless the claim was lost, what is to
 * be tried again and what was not started are sent back.
 */
export class ChunkExecution implements Held {
  readonly message: TaskMessage;
  readonly #options: HandlingOptions;
  readonly #execution: Execution;
  readonly #report: Report;
  /** When its items began, by the claim. */
  #startedMs: number;
  readonly #stopped = Promise.withResolvers<void>();
  #inSetup = false;
  /** Attempts that failed and are to be made again. */
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
      settled: [...this.#report.told, ...moved],
    };
  }

  /** How many functions went on after their time. */
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

  /** Ends when the items are through, or no further one may start. */
  async run(): Promise<void> {
    const execution = this.#execution;
    const { task, claim } = this.#options;
    if (task.setup && !(await this.#setUp())) return;
    await execution.run();
    // What is left although there is time waits for a claim that covers it.
    while (execution.left.length > 0 && !execution.closed && this.#hasTime(claim.heldMs)) {
      if (!(await claim.hold(task.timeoutSeconds))) break;
      await execution.run();
    }
    this.#ranMs = claim.heldMs - this.#startedMs;
  }

  /** Ends when SQS has accepted all that came of the chunk. */
  async settle(): Promise<Verdict> {
    const { sqs, taskQueueUrl, chunk, task, claim } = this.#options;
    try {
      await this.#report.finish();
    } catch (error) {
      if (!isMissingQueue(error)) throw error;
      return this.#lostQueue();
    }
    // What an attempt left behind may end this process now, and its supervisor sends the next one too.
    if (this.#again.length > 0) await wait(0);
    // Another worker may have the chunk by now and send the same again: lineages must not multiply.
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

  /** Sets the task up where that has not been done here; false when no item is to be run then. */
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
    // The claim and the process's time are others by now; a slice is for the items.
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

  /** How many further slices the rest would need at the pace so far, which is how it is cut. */
  #slices(left: number): number {
    const { sliceSeconds } = this.#options;
    const needed = (left * this.#ranMs) / Math.max(1, this.#finished) / (sliceSeconds * 1000);
    return Math.max(1, Math.min(PARTS, Math.ceil(needed)));
  }

  /** The run's queue went missing while it was worked for: over, or to be looked for again. */
  async #lostQueue(): Promise<Verdict> {
    const { chunk, claim, runs } = this.#options;
    if (runs.missing(chunk) === 'over') return 'done';
    if (claim.lost) return 'keep';
    const told = new Set(this.#report.accepted);
    const rest = chunk.items.filter(({ index }) => !told.has(index));
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
