import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { FanfoldError } from '../../errors.ts';
import { type AnyTask, type TaskRegistry, unknownTask } from '../../task.ts';
import type { Chunk, Stall } from '../messages/chunk.ts';
import { noticeBody } from '../messages/notice.ts';
import { readChunk } from '../messages/read-chunk.ts';
import { type FailureCode, failedLine } from '../messages/result.ts';
import { RunQueues } from '../queues.ts';
import { sendAll } from '../send.ts';
import type { WriteLog } from './attempt.ts';
import type { Claim } from './claim.ts';
import {
  type EndedAttempt,
  Handling,
  type Held,
  mayEnd,
  type TaskMessage,
  UNSURE_SECONDS,
  type Verdict,
} from './handling.ts';
import { type Destination, Outbox, Report } from './report.ts';
import { PARTS, sendBack, stalled } from './resend.ts';

export interface WorkerOptions {
  sqs: SQSClient;
  tasks: TaskRegistry;
  taskQueueUrl: string;
  /** Whether SQS is a server of ours and not AWS. @default false */
  onServer?: boolean | undefined;
  /** Where messages go that nobody can read. */
  deadQueueUrl: string;
  /** Who reports: stands in each result. */
  worker: string;
  /** How long it keeps one chunk before it sends back what it has not started, in seconds. */
  sliceSeconds: number;
  /** What is known of runs, where that outlives this worker. @default its own */
  runs?: RunQueues;
  /** Told why a message is not for this worker: it can't be read here, or its task is not here. */
  onRefused?: ((reason: FanfoldError) => void) | undefined;
  /** Told of each attempt at an input that has ended. */
  onEnded?: ((ended: EndedAttempt) => void) | undefined;
  /** Writes the lines that tasks log. @default JSON lines on the console */
  writeLog?: WriteLog | undefined;
}

/** A chunk whose items have been run; what came of it is on its way to SQS. */
export interface Executed {
  settled: Promise<Verdict>;
  /** Whether it was handed back, since there was no time for it. */
  tooLate?: boolean;
}

export interface HandleOptions {
  /** The worker's hold on the message: whoever made it ends it, when the message is deleted. */
  claim: Claim;
  /** Milliseconds until this process must have ended; without it there is no such limit. */
  remainingMs?: (() => number) | undefined;
  /**
   * Whether a chunk is handed back when one of its items may take longer than remains. Without it,
   * its first item is run all the same: some chunk is any process's first.
   * @default false
   */
  inTimeOnly?: boolean;
  /** Told of a chunk whose items are about to run. */
  onBegin?: (chunk: Chunk) => void;
}

/** How long a chunk waits that a worker does not know the task of: another may, or this one soon. */
const UNKNOWN_SECONDS = 30;

/** How long a deployment may take to bring a new task to all workers, in milliseconds. */
const ROLLOUT_MS = 300_000;

/** Hops in a row on which none of a chunk's items was finished. Cutting a thousand takes three. */
const MAX_HOPS = 100;

const GIVEN_UP = `It was sent from worker to worker ${MAX_HOPS} times, and none finished it.`;

/**
 * Runs tasks over chunks, one chunk at a time. Its message is deleted last, by whoever received
 * it, when this says `done`: by then every result, further attempt and remainder has been accepted
 * by SQS, so that nothing is lost whenever the worker dies.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #runs: RunQueues;
  readonly #held = new Set<Held>();
  /** By run and result queue: a queue may be that of several runs. */
  readonly #outboxes = new Map<string, Outbox>();
  /** The chunk whose items run now. */
  #handling: Handling | undefined;
  #stopping = false;
  /** Chunks of which functions went on after their time. */
  readonly #worn: Handling[] = [];

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#runs = options.runs ?? new RunQueues(options.sqs);
  }

  /** The chunks that were begun and are not settled, for a supervisor. */
  get held(): Iterable<Held> {
    return this.#held;
  }

  /** How many functions go on although their time is over: their process is better replaced. */
  get stuck(): number {
    return this.#worn.reduce((sum, { stuck }) => sum + stuck, 0);
  }

  /** Starts no further item; the chunk's rest is sent back. */
  stop(): void {
    this.#stopping = true;
    this.#handling?.stop();
  }

  /** Stops, and gives up on the items that run: they are sent back with the rest. */
  interrupt(reason: unknown): void {
    this.#stopping = true;
    this.#handling?.interrupt(reason);
  }

  /** Does all that a message asks. */
  async handle(message: TaskMessage, options: HandleOptions): Promise<Verdict> {
    const { settled } = await this.begin(message, options);
    this.flush();
    return settled;
  }

  /** Sends the results that wait for others to travel with. */
  flush(): void {
    for (const outbox of this.#outboxes.values()) outbox.send();
    this.#outboxes.clear();
  }

  /** Sends them soon, whether or not others have come by then. */
  flushSoon(): void {
    for (const [key, outbox] of this.#outboxes) {
      if (outbox.isEmpty) this.#outboxes.delete(key);
      else outbox.sendSoon();
    }
  }

  /**
   * Runs a message's items, and ends when another chunk may begin. Its results may wait for the
   * next chunk's, to travel in one message, until `flush` or `flushSoon`.
   */
  async begin(message: TaskMessage, options: HandleOptions): Promise<Executed> {
    const { sqs, tasks } = this.#options;
    const chunk = await this.#read(message);
    if (chunk === undefined) return executed('done');
    if (serviceNow(sqs) > chunk.expiresAt) return executed('done');
    const state = await this.#runs.state(chunk);
    if (state === 'over') return executed('done');
    const task = tasks.get(chunk.task);
    if (task && options.inTimeOnly && !mayEnd(task, options.remainingMs)) {
      return { ...executed(this.handBack(message, options.claim)), tooLate: true };
    }
    // From here on something may be run, or be sent to the task queue.
    if (!(await options.claim.hold(task?.timeoutSeconds ?? 0))) return executed('keep');
    if (state === 'unsure') return executed(this.#sendOn(chunk, 'run', UNSURE_SECONDS));
    if (task === undefined) return executed(this.#refuse(chunk));
    if (chunk.stalled?.cause === 'worker' && chunk.stalled.hops >= MAX_HOPS) {
      return executed(this.#fail(chunk, 'Lost', GIVEN_UP));
    }
    if (message.receiveCount > 1) {
      // Somebody had it and did not say what became of it. Perhaps one of its items kills: it is
      // found by cutting, down to the item, which costs nothing where it was only throttled or
      // lost. Of an item that is alone, whoever collects is told each time that it is begun.
      if (chunk.items.length > 1) return executed(this.#sendOn(chunk, 'worker', 0, PARTS));
      await this.#announce(message, chunk);
    }
    options.onBegin?.(chunk);
    return this.#run(chunk, task, message, options);
  }

  /** Sends a message's items back as they are: another worker is to have them. */
  async handBack(message: TaskMessage, claim: Claim): Promise<Verdict> {
    if (claim.lost) return 'keep';
    const chunk = await this.#read(message);
    if (chunk) await sendBack(this.#options, chunk, chunk.items, 1);
    return 'done';
  }

  /** A message's chunk. A message that this deployment's seed cannot have sent is moved to the dead letters. */
  async #read({ body }: TaskMessage): Promise<Chunk | undefined> {
    const { sqs, taskQueueUrl, onServer, deadQueueUrl, onRefused } = this.#options;
    try {
      return readChunk(body, { taskQueueUrl, onServer, now: serviceNow(sqs) });
    } catch (error) {
      if (!(error instanceof FanfoldError)) throw error;
      onRefused?.(error);
      await sendAll(sqs, deadQueueUrl, [{ body }]);
      return undefined;
    }
  }

  async #run(
    chunk: Chunk,
    task: AnyTask,
    message: TaskMessage,
    { claim, remainingMs }: HandleOptions,
  ): Promise<Executed> {
    const { sqs, taskQueueUrl, sliceSeconds, onEnded, writeLog } = this.#options;
    const handling = new Handling({
      sqs,
      taskQueueUrl,
      sliceSeconds,
      runs: this.#runs,
      chunk,
      task,
      message,
      claim,
      outbox: this.#outbox(chunk),
      remainingMs,
      onEnded,
      writeLog,
    });
    this.#held.add(handling);
    this.#handling = handling;
    if (this.#stopping) handling.stop();
    await handling.run();
    this.#handling = undefined;
    if (handling.stuck > 0) this.#worn.push(handling);
    return executed(handling.settle().finally(() => this.#held.delete(handling)));
  }

  #outbox(to: Destination): Outbox {
    const { sqs, worker } = this.#options;
    const key = `${to.runId} ${to.resultQueueUrl}`;
    const outbox = this.#outboxes.get(key) ?? new Outbox(sqs, to, worker);
    this.#outboxes.set(key, outbox);
    return outbox;
  }

  /** Sends a chunk on with none of its items finished. */
  async #sendOn(
    chunk: Chunk,
    cause: Stall['cause'],
    delaySeconds: number,
    parts = 1,
  ): Promise<Verdict> {
    await sendBack(
      this.#options,
      stalled(this.#options, chunk, cause),
      chunk.items,
      parts,
      delaySeconds,
    );
    return 'done';
  }

  /** Says, before it is run, that an item that is alone in its message is begun once more. */
  async #announce({ id: message }: TaskMessage, chunk: Chunk): Promise<void> {
    const { sqs, worker } = this.#options;
    const { runId, attempt, resultQueueUrl } = chunk;
    const bodies = chunk.items.map(({ index }) => {
      const id = crypto.randomUUID();
      const body = noticeBody(runId, { notice: 'begun', worker, index, attempt, message, id });
      return { body };
    });
    await sendAll(sqs, resultQueueUrl, bodies);
  }

  /** A task that is not there: a deployment may be under way, and another worker have it. */
  async #refuse(chunk: Chunk): Promise<Verdict> {
    const { sqs } = this.#options;
    const { stalled: before } = chunk;
    const reason = unknownTask(chunk.task, this.#options.tasks.names());
    this.#options.onRefused?.(reason);
    if (before?.cause === 'task' && serviceNow(sqs) - before.since >= ROLLOUT_MS) {
      return this.#fail(chunk, 'UnknownTask', reason.message);
    }
    return this.#sendOn(chunk, 'task', UNKNOWN_SECONDS);
  }

  /** Ends all of a chunk's items. */
  async #fail(chunk: Chunk, code: FailureCode, message: string): Promise<Verdict> {
    const report = new Report(this.#outbox(chunk), () => {});
    const failure = { code, name: code, message, attempts: chunk.attempt };
    const { runId, task, attempt } = chunk;
    for (const { index } of chunk.items) {
      report.add(index, failedLine(index, failure, 0), false);
      this.#options.onEnded?.({ runId, task, index, attempt, ms: 0, failure, again: false });
    }
    await report.finish();
    return 'done';
  }
}

function executed(verdict: Verdict | Promise<Verdict>): Executed {
  const settled = Promise.resolve(verdict);
  // Its receiver may look at it later only: until then a failure is nobody's.
  settled.catch(() => {});
  return { settled };
}
