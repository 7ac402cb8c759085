import { serviceNow } from '../../clock.ts';
import { FanfoldError, messageOf } from '../../errors.ts';
import type { AnyTask } from '../../task.ts';
import { unknownTask } from '../../task-registry.ts';
import { isAwsError } from '../call-errors.ts';
import type { Chunk, Stall } from '../messages/chunk.ts';
import { readChunk } from '../messages/read-chunk.ts';
import { type FailureCode, failedLine } from '../messages/result.ts';
import { RunQueues } from '../run/run-queues.ts';
import { sendAll } from '../run/send.ts';
import { announceBegun } from './begun.ts';
import { ChunkExecution, type HandlingOptions, mayEnd, UNSURE_SECONDS } from './chunk-execution.ts';
import type { Claim } from './claim.ts';
import type { Held } from './held.ts';
import { isElsewhere, leavesLane, passOn, routeOf } from './lanes.ts';
import { Outboxes, Report, type Unsent, USED_MS } from './report.ts';
import { PARTS, sendBack, stalled } from './resend.ts';
import { RunPaces } from './run-paces.ts';
import { Setups } from './setups.ts';
import type { TaskMessage, Verdict } from './task-message.ts';
import { watching } from './watching.ts';
import type { Executed, HandleOptions, WorkerOptions } from './worker-options.ts';

export type { Executed, HandleOptions, WorkerOptions } from './worker-options.ts';

/** Delay of a chunk whose task is unknown: another worker may know it, or this one soon. */
const UNKNOWN_SECONDS = 30;

/** Longest time that a deployment needs to bring a new task to all workers, in milliseconds. */
const ROLLOUT_MS = 300_000;

/** Most hops in a row with none of a chunk's items finished. Cutting a thousand takes three. */
const MAX_HOPS = 100;

const GIVEN_UP = `Workers sent it back ${MAX_HOPS} times, and none finished it.`;

/**
 * Runs tasks over chunks, one chunk at a time. The receiver of a message deletes it last, when the
 * verdict is `done`. By then SQS has accepted every result, further attempt and remainder, so that
 * nothing is lost whenever the worker dies.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #runs: RunQueues;
  readonly #setups: Setups;
  readonly #paces: RunPaces;
  readonly #held = new Set<Held>();
  readonly #outboxes: Outboxes;
  /** The chunk whose items are running. */
  #handling: ChunkExecution | undefined;
  #stopping = false;
  /** Chunks with functions that ran past their timeout. */
  readonly #worn: ChunkExecution[] = [];

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#runs = options.runs ?? new RunQueues(options.sqs, options.onServer);
    this.#setups = options.setups ?? new Setups();
    this.#paces = options.paces ?? new RunPaces();
    this.#outboxes = new Outboxes(options.sqs, options.worker, options.meter);
  }

  /** Chunks that were begun and are not settled, for a supervisor. */
  get held(): Iterable<Held> {
    return this.#held;
  }

  /** Results that SQS has not accepted yet, for a supervisor. */
  get unsent(): Unsent[] {
    const outboxes = new Set(Array.from(this.#held, ({ outbox }) => outbox));
    return Array.from(outboxes, ({ unsent }) => unsent).flat();
  }

  /** Number of functions that run past their timeout: their process should be replaced. */
  get stuck(): number {
    return this.#worn.reduce((sum, { stuck }) => sum + stuck, 0);
  }

  /** Starts no further item; the rest of the chunk is sent back. */
  stop(): void {
    this.#stopping = true;
    this.#handling?.stop();
  }

  /** Another chunk waits: ends the slice of a chunk that is kept for longer than others. */
  hurry(): void {
    this.#handling?.hurry();
  }

  /** Stops, and abandons the items that are running: they are sent back with the rest. */
  interrupt(reason: unknown): void {
    this.#stopping = true;
    this.#handling?.interrupt(reason);
  }

  /** Handles a message completely. */
  async handle(message: TaskMessage, options: HandleOptions): Promise<Verdict> {
    const { settled } = await this.begin(message, options);
    this.flush();
    return settled;
  }

  /** Sends the results that wait for others to share a message with. */
  flush(): void {
    this.#outboxes.flush();
  }

  /** Sends them soon, whether or not others have joined them by then. */
  flushSoon(): void {
    this.#outboxes.flushSoon();
  }

  /**
   * Runs a message's items. Resolves when another chunk may begin. Its results may wait for those
   * of the next chunk, to share a message, until `flush` or `flushSoon`.
   */
  async begin(message: TaskMessage, options: HandleOptions): Promise<Executed> {
    const giveUp = (error: unknown) => this.#giveUp(message, options.claim, error);
    try {
      const begun = await this.#begin(message, options);
      return { ...begun, ...executed(begun.settled.catch(giveUp)) };
    } catch (error) {
      return executed(giveUp(error));
    }
  }

  async #begin(message: TaskMessage, options: HandleOptions): Promise<Executed> {
    const { sqs, tasks } = this.#options;
    const chunk = await this.#read(message);
    if (chunk === undefined) return executed('done');
    this.#options.meter?.workFor(chunk.runId);
    let state = await this.#runs.state(chunk);
    if (isElsewhere(message, chunk, this.#runs.control(chunk))) {
      state = await this.#runs.state(chunk, 0);
    }
    const control = this.#runs.control(chunk);
    const expiresAt = Math.max(chunk.expiresAt, control.expiresAt ?? 0);
    const isOver = state === 'over' || control.ending === true;
    if (isOver || serviceNow(sqs) > expiresAt) return executed('done');
    if (chunk.items.every(({ index }) => control.condemned?.includes(index)))
      return executed('done');
    const task = tasks.get(chunk.task);
    if (task && options.inTimeOnly && !mayEnd(task, options.remainingMs)) {
      return { ...executed(this.handBack(message, options.claim)), tooLate: true };
    }
    // From here on, items may run, or chunks may be sent to the task queue.
    if (!(await options.claim.hold(task?.timeoutSeconds ?? 0))) return executed('keep');
    if (state === 'unsure') return executed(this.#sendOn(chunk, 'run', UNSURE_SECONDS));
    if (task === undefined) return executed(this.#refuse(chunk));
    if (chunk.stalled?.cause === 'worker' && chunk.stalled.hops >= MAX_HOPS) {
      return executed(this.#fail(chunk, 'Lost', GIVEN_UP));
    }
    const routed = { message, chunk, control, claim: options.claim, runs: this.#runs };
    const route = await routeOf(this.#options, routed);
    if (typeof route === 'string') return executed(route);
    const { bounded, redelivered } = route;
    if (redelivered) {
      // Another worker had it and reported no outcome, perhaps because one of its items kills
      // workers. Cutting isolates that item, and costs nothing if the message was only throttled or
      // lost. If an item is alone, the collector is notified each time that it is begun.
      if (chunk.items.length > 1) return executed(this.#sendOn(chunk, 'worker', 0, PARTS));
      await announceBegun(this.#options, task, message, chunk);
    }
    watching(() => options.onBegin?.(chunk));
    return this.#run(chunk, task, message, options, { bounded, control });
  }

  /** Sends a message's items back as they are, for another worker. */
  async handBack(message: TaskMessage, claim: Claim): Promise<Verdict> {
    if (claim.lost) return 'keep';
    const chunk = await this.#read(message);
    if (chunk === undefined) return 'done';
    await passOn(this.#options, { message, chunk, runs: this.#runs });
    return 'done';
  }

  /** Whether a message only has to leave its lane, as far as is known. */
  leavesLane(message: TaskMessage): boolean {
    if (message.group === undefined) return false;
    try {
      const now = serviceNow(this.#options.sqs);
      const chunk = readChunk(message.body, { ...this.#options, now });
      return leavesLane(message, chunk, this.#runs.control(chunk));
    } catch {
      return false;
    }
  }

  /**
   * Reads a message's chunk. Moves the message to the dead letters if this deployment's seed can't
   * have sent it.
   */
  async #read({ body }: TaskMessage): Promise<Chunk | undefined> {
    const { sqs, taskQueueUrl, onServer, deadQueueUrl, onRefused } = this.#options;
    try {
      return readChunk(body, { taskQueueUrl, onServer, now: serviceNow(sqs) });
    } catch (error) {
      if (!(error instanceof FanfoldError)) throw error;
      watching(() => onRefused?.(error));
      await sendAll(sqs, deadQueueUrl, [{ body }]);
      return undefined;
    }
  }

  async #run(
    chunk: Chunk,
    task: AnyTask,
    message: TaskMessage,
    { claim, remainingMs, onAlmostFree }: HandleOptions,
    within: Pick<HandlingOptions, 'bounded' | 'control'>,
  ): Promise<Executed> {
    const { sqs, taskQueueUrl, sliceSeconds, meter, payloads, onEnded, writeLog } = this.#options;
    const handling = new ChunkExecution({
      sqs,
      taskQueueUrl,
      sliceSeconds,
      runs: this.#runs,
      chunk,
      task,
      message,
      claim,
      outbox: this.#outboxes.to(chunk),
      ...{ setups: this.#setups, paces: this.#paces, payloads },
      ...within,
      remainingMs,
      ...{ onEnded, onAlmostFree },
      writeLog,
    });
    this.#held.add(handling);
    this.#handling = handling;
    if (this.#stopping) handling.stop();
    const using = meter && setInterval(() => handling.outbox.reportUsed(), USED_MS);
    try {
      await handling.run();
    } catch (error) {
      this.#held.delete(handling);
      throw error;
    } finally {
      clearInterval(using);
      this.#handling = undefined;
    }
    if (handling.stuck > 0) this.#worn.push(handling);
    return executed(handling.settle().finally(() => this.#held.delete(handling)));
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

  /** Handles an unknown task: a deployment may be under way, and another worker may know it. */
  async #refuse(chunk: Chunk): Promise<Verdict> {
    const { sqs } = this.#options;
    const { stalled: before } = chunk;
    const reason = unknownTask(chunk.task, this.#options.tasks.names());
    watching(() => this.#options.onRefused?.(reason));
    if (before?.cause === 'task' && serviceNow(sqs) - before.since >= ROLLOUT_MS) {
      return this.#fail(chunk, 'UnknownTask', reason.message);
    }
    return this.#sendOn(chunk, 'task', UNKNOWN_SECONDS);
  }

  /**
   * Decides on a chunk whose handling threw. It is released, and its next receiver cuts it, so that
   * the input that causes the error ends up alone. If that has not helped, and no call is at fault,
   * its inputs end `failed` instead of waiting for the deadline.
   */
  async #giveUp(message: TaskMessage, claim: Claim, error: unknown): Promise<Verdict> {
    if (returnsAtOnce(error, message) || isAwsError(error) || claim.lost) throw error;
    const chunk = await this.#read(message);
    const why = `No worker could finish it: ${messageOf(error)}`;
    return chunk === undefined ? 'done' : this.#fail(chunk, 'Lost', why);
  }

  /** Fails all of a chunk's items. */
  async #fail(chunk: Chunk, code: FailureCode, message: string): Promise<Verdict> {
    const report = new Report(this.#outboxes.to(chunk), () => {});
    const failure = { code, name: code, message, attempts: chunk.attempt };
    const { runId, task, attempt } = chunk;
    for (const { index } of chunk.items) {
      report.add(index, failedLine(index, failure, 0), false, 0);
      const ended = { runId, task, index, attempt, ms: 0, failure, again: false };
      watching(() => this.#options.onEnded?.(ended));
    }
    await report.finish();
    return 'done';
  }
}

/** Receives of a message after which an error that is not a call's counts as permanent. */
const MOST_RECEIVES = 5;

/**
 * Whether a message whose handling threw is released at once. If a call is at fault, as in a bad
 * deployment, the same error would follow.
 */
export function returnsAtOnce(error: unknown, { receiveCount }: TaskMessage): boolean {
  return !isAwsError(error) && receiveCount < MOST_RECEIVES;
}

function executed(verdict: Verdict | Promise<Verdict>): Executed {
  const settled = Promise.resolve(verdict);
  // The receiver may await it later; until then, a rejection must not be unhandled.
  settled.catch(() => {});
  return { settled };
}
