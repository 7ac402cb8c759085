import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../errors.ts';
import { type AnyTask, type TaskRegistry, unknownTask } from '../task.ts';
import { type Chunk, readChunk } from './chunk.ts';
import type { Claim } from './claim.ts';
import { Execution, type Outcome } from './execute.ts';
import { isMissingQueue, RunQueues } from './queues.ts';
import { type Destination, Outbox, Report } from './report.ts';
import { backoffSeconds, messagesOf } from './resend.ts';
import { failedLine, okLine } from './result.ts';
import { sendAll } from './send.ts';

/** A task message as a worker has it. */
export interface TaskMessage {
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

export interface WorkerOptions {
  sqs: SQSClient;
  tasks: TaskRegistry;
  taskQueueUrl: string;
  /** Where messages go that nobody can read. */
  deadQueueUrl: string;
  /** Who reports: stands in each result. */
  worker: string;
  /** How long it keeps one chunk before it sends back what it has not started, in seconds. */
  sliceSeconds: number;
}

/** A chunk whose items have been run; what came of it is on its way to SQS. */
export interface Executed {
  settled: Promise<Verdict>;
}

/** What can be known from outside of a chunk that a worker holds. */
export interface Held {
  message: TaskMessage;
  /** Indexes of the items that are running. */
  running(): number[];
  /** Indexes whose results, or whose further attempts, SQS has accepted. */
  settled(): number[];
}

export interface HandleOptions {
  /** The worker's hold on the message, where it holds it itself. */
  claim?: Claim;
  /** Milliseconds until this process must have ended; without it there is no such limit. */
  remainingMs?: () => number;
  /** Told of a chunk whose items are about to run, which waits until that is heard. */
  onBegin?: (chunk: Chunk) => Promise<void>;
}

/** How long a chunk waits whose run's queue seems to be gone, until somebody looks again. */
const UNSURE_SECONDS = 15;

/** The most parts that a chunk is cut into: one that came again, or the rest when a slice is over. */
const PARTS = 10;

/** What a worker keeps of its process's last moments for reporting, in milliseconds. */
const FAREWELL_MS = 5_000;

/**
 * Runs tasks over chunks, one chunk at a time. Its message is deleted last, by whoever received
 * it, when this says `done`: by then every result, further attempt and remainder has been accepted
 * by SQS, so that nothing is lost whenever the worker dies.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #runs: RunQueues;
  readonly #held = new Set<Held>();
  /** By result queue. */
  readonly #outboxes = new Map<string, Outbox>();
  #execution: Execution | undefined;
  #stopping = false;
  #stuck = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#runs = new RunQueues(options.sqs);
  }

  /** The chunks that were begun and are not settled, for a supervisor. */
  get held(): Iterable<Held> {
    return this.#held;
  }

  /** How many functions went on after their time: their process is better replaced. */
  get stuck(): number {
    return this.#stuck;
  }

  /** Starts no further item; the chunk's rest is sent back. */
  stop(): void {
    this.#stopping = true;
    this.#execution?.stop();
  }

  /** Stops, and gives up on the items that run: they are sent back with the rest. */
  interrupt(reason: unknown): void {
    this.#stopping = true;
    this.#execution?.interrupt(reason);
  }

  /** Does all that a message asks. */
  async handle(message: TaskMessage, options: HandleOptions = {}): Promise<Verdict> {
    const { settled } = await this.begin(message, options);
    this.flush();
    return settled;
  }

  /** Sends the results that wait for others to travel with. */
  flush(): void {
    for (const outbox of this.#outboxes.values()) outbox.send();
    this.#outboxes.clear();
  }

  /**
   * Runs a message's items, and ends when another chunk may begin. Its results may wait for the
   * next chunk's, to travel in one message, until `flush`.
   */
  async begin(message: TaskMessage, options: HandleOptions = {}): Promise<Executed> {
    let chunk: Chunk;
    try {
      chunk = readChunk(message.body);
    } catch (error) {
      if (!(error instanceof FanfoldError)) throw error;
      await sendAll(this.#options.sqs, this.#options.deadQueueUrl, [{ body: message.body }]);
      return executed('done');
    }
    if (Date.now() > chunk.expiresAt) return executed('done');
    const state = await this.#runs.state(chunk.runId, chunk.resultQueueUrl);
    if (state === 'over') return executed('done');
    if (state === 'unsure') {
      return executed(this.#sendBack(chunk, chunk.items, 1, UNSURE_SECONDS));
    }
    const task = this.#options.tasks.get(chunk.task);
    if (task === undefined) return executed(this.#refuse(chunk));
    // Somebody had it and did not say what became of it. Perhaps one of its items kills: it is found
    // by cutting, down to the item, which costs nothing where it was only throttled or lost.
    if (message.receiveCount > 1 && chunk.items.length > 1) {
      return executed(this.#sendBack(chunk, chunk.items, PARTS));
    }
    await options.claim?.hold(task.timeoutSeconds);
    await options.onBegin?.(chunk);
    return this.#execute(chunk, task, message, options);
  }

  /** Sends a message's items back as they are: another worker is to have them. */
  async handBack({ body }: TaskMessage): Promise<Verdict> {
    const chunk = readChunk(body);
    return this.#sendBack(chunk, chunk.items, 1);
  }

  async #execute(
    chunk: Chunk,
    task: AnyTask,
    message: TaskMessage,
    options: HandleOptions,
  ): Promise<Executed> {
    const startedAt = Date.now();
    const again: Outcome[] = [];
    const moved: number[] = [];
    const execution = new Execution(
      task,
      chunk,
      (outcome) => {
        finished++;
        if (mayTryAgain(task, chunk, outcome)) again.push(outcome);
        else report.add(outcome.index, lineOf(outcome, chunk.attempt), outcome.ok);
      },
      () => this.#mayStart(task, startedAt, options),
    );
    const report = new Report(this.#outbox(chunk), () => execution.stop());
    let finished = 0;
    const held = {
      message,
      running: () => execution.running,
      settled: () => [...report.accepted, ...moved],
    };
    this.#held.add(held);
    this.#execution = execution;
    if (this.#stopping) execution.stop();
    await execution.run();
    this.#execution = undefined;
    this.#stuck += execution.stuck;
    const pace = { finished, ms: Date.now() - startedAt };
    const settled = this.#settle({ chunk, task, execution, report, again, moved, pace }, options);
    return executed(
      settled.finally(() => {
        options.claim?.end();
        this.#held.delete(held);
      }),
    );
  }

  /** Ends when SQS has accepted all that came of a chunk. */
  async #settle(
    { chunk, task, execution, report, again, moved, pace }: Executing,
    options: HandleOptions,
  ): Promise<Verdict> {
    try {
      await report.finish();
    } catch (error) {
      if (!isMissingQueue(error)) throw error;
      return this.#lostQueue(chunk, report.accepted, options);
    }
    if (again.length === 0 && execution.left.length === 0) return 'done';
    // Another worker may have the chunk by now and send the same again: lineages must not multiply.
    if (options.claim?.lost) return 'keep';
    await this.#tryAgain(task, chunk, again);
    for (const { index } of again) moved.push(index);
    return this.#sendBack(chunk, execution.left, this.#slices(execution.left.length, pace));
  }

  #outbox(to: Destination): Outbox {
    const { sqs, worker } = this.#options;
    const outbox = this.#outboxes.get(to.resultQueueUrl) ?? new Outbox(sqs, to, worker);
    this.#outboxes.set(to.resultQueueUrl, outbox);
    return outbox;
  }

  #mayStart(task: AnyTask, startedAt: number, { remainingMs }: HandleOptions): boolean {
    if (Date.now() - startedAt >= this.#options.sliceSeconds * 1000) return false;
    return !remainingMs || remainingMs() > task.timeoutSeconds * 1000 + FAREWELL_MS;
  }

  /** How many further slices the rest would need at the pace so far, which is how it is cut. */
  #slices(left: number, { finished, ms }: Executing['pace']): number {
    const needed = (left * ms) / Math.max(1, finished) / (this.#options.sliceSeconds * 1000);
    return Math.max(1, Math.min(PARTS, Math.ceil(needed)));
  }

  /** Sends items back to the task queue, as they were, in so many parts. */
  async #sendBack(
    chunk: Chunk,
    items: Chunk['items'],
    parts: number,
    delaySeconds?: number,
  ): Promise<Verdict> {
    const messages = messagesOf(chunk, items, Math.ceil(items.length / parts), delaySeconds);
    await sendAll(this.#options.sqs, this.#options.taskQueueUrl, messages);
    return 'done';
  }

  async #tryAgain(task: AnyTask, chunk: Chunk, failed: readonly Outcome[]): Promise<void> {
    const items = failed.flatMap((outcome): Chunk['items'] =>
      outcome.ok ? [] : [[outcome.index, outcome.input]],
    );
    const next = { ...chunk, attempt: chunk.attempt + 1 };
    const messages = messagesOf(next, items, items.length, backoffSeconds(task, chunk.attempt));
    await sendAll(this.#options.sqs, this.#options.taskQueueUrl, messages);
  }

  /** The run's queue went missing while it was worked for: over, or to be looked for again. */
  async #lostQueue(
    chunk: Chunk,
    accepted: readonly number[],
    { claim }: HandleOptions,
  ): Promise<Verdict> {
    if (this.#runs.missing(chunk.runId, chunk.resultQueueUrl) === 'over') return 'done';
    if (claim?.lost) return 'keep';
    const told = new Set(accepted);
    const rest = chunk.items.filter(([index]) => !told.has(index));
    return this.#sendBack(chunk, rest, 1, UNSURE_SECONDS);
  }

  async #refuse(chunk: Chunk): Promise<Verdict> {
    const report = new Report(this.#outbox(chunk), () => {});
    const { message } = unknownTask(chunk.task, this.#options.tasks.names());
    const failure = { code: 'UnknownTask' as const, name: 'UnknownTask', message };
    for (const [index] of chunk.items) {
      const line = failedLine(index, { ...failure, attempts: chunk.attempt }, 0);
      report.add(index, line, false);
    }
    await report.finish();
    return 'done';
  }
}

/** What was found out about a chunk while its items were run. */
interface Executing {
  chunk: Chunk;
  task: AnyTask;
  execution: Execution;
  report: Report;
  /** Attempts that failed and are to be made again. */
  again: Outcome[];
  /** Indexes whose further attempts SQS has accepted. */
  moved: number[];
  /** How many items ended, in how many milliseconds. */
  pace: { finished: number; ms: number };
}

function executed(verdict: Verdict | Promise<Verdict>): Executed {
  const settled = Promise.resolve(verdict);
  // Its receiver may look at it later only: until then a failure is nobody's.
  settled.catch(() => {});
  return { settled };
}

function mayTryAgain(task: AnyTask, chunk: Chunk, outcome: Outcome): boolean {
  return !outcome.ok && outcome.failure.retryable && chunk.attempt < task.maxAttempts;
}

function lineOf(outcome: Outcome, attempts: number): string {
  if (outcome.ok) return okLine(outcome.index, outcome.output, outcome.ms);
  const { code, name, message } = outcome.failure;
  return failedLine(outcome.index, { code, name, message, attempts }, outcome.ms);
}
