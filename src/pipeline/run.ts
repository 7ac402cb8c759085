import type { LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteQueueCommand, type SQSClient, TagQueueCommand } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../errors.ts';
import { Collector, type Delivery } from './collect.ts';
import { Account, type Ledger } from './ledger.ts';
import { type Names, newRunId } from './names.ts';
import { InOrder } from './order.ts';
import type { Inputs } from './pages.ts';
import { cancelledLine, type Result, type ResultLine } from './result.ts';
import { ResultBatch } from './result-message.ts';
import { Seeding, Window } from './seeding.ts';

/** Where runs go: the clients, and the names that the deployment's parts have. */
export interface Deployment {
  sqs: SQSClient;
  lambda: LambdaClient;
  names: Names;
  /** How many workers there are, about: chunks are cut so that all have some. */
  workers: number;
  /** How many inputs of a task a worker runs at once, where that is known. */
  concurrencyOf?: (task: string) => number | undefined;
  /** Bytes of inputs and results that a run may have out at once, where its queues are in memory. */
  windowBytes?: number;
}

export interface RunOptions {
  /**
   * Results in input order. Memory stays bounded: seeding waits for the oldest input.
   * @default false
   */
  ordered?: boolean;
  /** Aborting it ends the run at once: iterating throws its reason. */
  signal?: AbortSignal;
}

/** Bytes that an ordered run's results may take while they wait for an earlier one. */
const ORDERED_BYTES = 64 * 1024 * 1024;

/** How long a cancelled run takes results that are there already, in milliseconds. */
const DRAIN_MS = 1_000;

/** How often the run's tags tell how far its collector is, at most, in milliseconds. */
const PROGRESS_MS = 30_000;

/**
 * One task over one list of inputs. It starts when it is made: its inputs are seeded as far as the
 * window lets them, whether or not anybody takes results yet.
 *
 * It is over when it is sealed (all inputs seeded) and its ledger balances; then its queue is
 * deleted. It ends earlier when it is cancelled, when its consumer leaves (which cancels, unless
 * it is detached), or when seeding fails: with an input iterable's own error, for one.
 */
export class Run<Output = unknown> implements AsyncIterable<Result<Output>> {
  readonly runId = newRunId();
  /** Settles when the run is over, or its consumer has left it; it never rejects. */
  readonly ended: Promise<void>;
  readonly #deployment: Deployment;
  readonly #ordered: boolean;
  readonly #account = new Account();
  readonly #window: Window;
  readonly #seeding: Seeding;
  /** Aborted when no more results are to be waited for. */
  readonly #stop = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #iterated = false;
  #detached = false;
  #failure: { error: unknown } | undefined;
  #cancelling: Promise<ResultBatch[]> | undefined;

  constructor(
    deployment: Deployment,
    task: string,
    inputs: Inputs<unknown>,
    { ordered = false, signal }: RunOptions = {},
  ) {
    this.ended = this.#ended.promise;
    this.#deployment = deployment;
    this.#ordered = ordered;
    const bytes = deployment.windowBytes ?? (ordered ? ORDERED_BYTES : undefined);
    this.#window = new Window(bytes === undefined ? undefined : { bytes, ordered });
    this.#seeding = new Seeding({
      ...deployment,
      runId: this.runId,
      task,
      inputs,
      account: this.#account,
      window: this.#window,
    });
    this.#seeding.done.then(
      () => this.#sealed(),
      (error: unknown) => this.fail(error),
    );
    const abort = () => this.fail(signal?.reason);
    signal?.addEventListener('abort', abort);
    void this.ended.then(() => signal?.removeEventListener('abort', abort));
    if (signal?.aborted) abort();
  }

  /** The account so far. */
  get ledger(): Ledger {
    return this.#account.snapshot();
  }

  /**
   * Ends the run: what has no result yet ends `cancelled`, and its queue is deleted. Ends when
   * that is done; the consumer, if there is one, still gets the last results.
   */
  async cancel(): Promise<void> {
    if (this.#account.balanced) return;
    this.#cancelling ??= this.#drain();
    await this.#cancelling;
    this.#ended.resolve();
  }

  /** Lets the run go on when its consumer leaves: its results wait in its queue. */
  detach(): void {
    this.#detached = true;
    this.#window.open();
  }

  /** The outputs in input order; the first input that did not end `ok` ends the run, and is thrown. */
  async *outputs(): AsyncGenerator<Output, void> {
    for await (const result of this.#results(true)) {
      if (result.status === 'ok') {
        yield result.output;
        continue;
      }
      const why =
        result.status === 'failed'
          ? `failed as ${result.error.code}: ${result.error.name}: ${result.error.message}`
          : 'was cancelled';
      throw new FanfoldError('TaskFailed', `Input ${result.index} ${why}`);
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Result<Output>, void> {
    return this.#results(this.#ordered);
  }

  /** The results as JSON texts, in batches: for who passes them on and need not look into them. */
  batches(): AsyncGenerator<ResultBatch, void> {
    return this.#batches(this.#ordered);
  }

  async *#results(ordered: boolean): AsyncGenerator<Result<Output>, void> {
    for await (const { lines } of this.#batches(ordered)) {
      for (const { text } of lines) yield JSON.parse(text) as Result<Output>;
    }
  }

  async *#batches(ordered: boolean): AsyncGenerator<ResultBatch, void> {
    if (this.#iterated) {
      throw new FanfoldError('Closed', `The results of run ${this.runId} have been taken already.`);
    }
    this.#iterated = true;
    let ended = false;
    try {
      const queueUrl = await this.#queueUrl();
      if (queueUrl !== undefined) yield* this.#collected(queueUrl, ordered);
      else if (this.#failure) throw this.#failure.error;
      else if (this.#cancelling) yield* this.#taken(await this.#cancelling);
      ended = true;
    } catch (error) {
      // The run could not go on: its queue keeps what is there.
      ended = true;
      this.#seeding.stop();
      throw error;
    } finally {
      // The consumer left.
      if (!ended && this.#detached) this.#stop.abort();
      else if (!ended && this.#failure === undefined) await this.cancel();
      this.#ended.resolve();
    }
  }

  /** The run's queue, as soon as it is there; undefined when there is none to wait for. */
  async #queueUrl(): Promise<string | undefined> {
    try {
      return await this.#seeding.queueUrl;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  async *#collected(queueUrl: string, ordered: boolean): AsyncGenerator<ResultBatch, void> {
    const collector = new Collector(this.#deployment.sqs, queueUrl);
    const close = () => collector.close();
    this.#stop.signal.addEventListener('abort', close);
    if (this.#stop.signal.aborted) close();
    const order = ordered ? new InOrder((delivery) => collector.acknowledge(delivery)) : undefined;
    let toldAt = Date.now();
    try {
      for await (const delivery of collector.deliveries()) {
        const fresh = this.#enter(delivery);
        if (order) {
          yield* this.#taken(order.add(delivery, fresh));
          order.acknowledgeTaken();
        } else {
          yield* this.#taken(fresh);
          collector.acknowledge(delivery);
        }
        if (this.#account.balanced) break;
        if (Date.now() - toldAt < PROGRESS_MS) continue;
        toldAt = Date.now();
        void this.#tag(queueUrl);
      }
    } finally {
      this.#stop.signal.removeEventListener('abort', close);
      await collector.settled();
    }
    if (this.#failure) throw this.#failure.error;
    if (this.#cancelling) {
      const rest = await this.#cancelling;
      yield* this.#taken(order ? order.rest(rest) : rest);
    } else if (this.#account.balanced) {
      await this.#deleteQueue(queueUrl);
    }
  }

  /** Hands batches on as one, and opens the window for more once they were taken. */
  *#taken(batches: readonly ResultBatch[]): Generator<ResultBatch, void> {
    const batch = ResultBatch.join(batches);
    if (batch.count === 0) return;
    yield batch;
    this.#window.taken(batch.count, batch.text.length);
  }

  /** The results that are the first of their index. */
  #enter({ batches }: Delivery): ResultBatch[] {
    return batches.map((batch) => this.#fresh(batch)).filter(({ count }) => count > 0);
  }

  #fresh(batch: ResultBatch): ResultBatch {
    if (batch.ok && this.#account.enterAllOk(batch.ok)) return batch;
    return ResultBatch.ofLines(
      batch.lines.filter(({ index, status }) => this.#account.enter(index, status)),
    );
  }

  async #sealed(): Promise<void> {
    if (this.#account.balanced) this.#stop.abort();
    const queueUrl = await this.#seeding.queueUrl;
    if (queueUrl !== undefined && this.#account.sealed) await this.#tag(queueUrl);
  }

  /** What `runs` and `status` tell of the run. It says so again later where it can't be said now. */
  async #tag(queueUrl: string): Promise<void> {
    const { inputs, ok, failed, sealed } = this.#account;
    const state = sealed ? { state: 'sealed', total: String(inputs) } : {};
    const Tags = { ...state, ok: String(ok), failed: String(failed) };
    const tagged = this.#deployment.sqs.send(new TagQueueCommand({ QueueUrl: queueUrl, Tags }));
    await tagged.catch(() => {});
  }

  /** Ends the run at once with an error, which its consumer gets: for what stands behind the run. */
  fail(error: unknown): void {
    if (this.#account.balanced || this.#failure || this.#cancelling) return;
    this.#failure = { error };
    this.#ended.resolve();
    this.#stop.abort();
    this.#seeding.stop();
    this.#seeding.queueUrl.then(
      (queueUrl) => (queueUrl === undefined ? undefined : this.#deleteQueue(queueUrl)),
      () => {},
    );
  }

  /** Takes what is there, cancels the rest, and deletes the queue. */
  async #drain(): Promise<ResultBatch[]> {
    this.#seeding.stop();
    this.#stop.abort();
    const account = this.#account;
    const batches: ResultBatch[] = [];
    const queueUrl = await this.#seeding.queueUrl.catch(() => undefined);
    if (queueUrl !== undefined) {
      const collector = new Collector(this.#deployment.sqs, queueUrl);
      try {
        for await (const delivery of collector.drain(DRAIN_MS)) {
          batches.push(...this.#enter(delivery));
        }
      } catch {
        // A queue that can't be read any more has nothing to add.
      }
      await this.#deleteQueue(queueUrl);
    }
    account.inputs = Math.max(account.inputs, this.#seeding.known);
    account.sealed = true;
    const cancelled: ResultLine[] = [];
    for (let index = 0; index < account.inputs; index++) {
      if (!account.has(index) && account.enter(index, 'cancelled')) {
        cancelled.push(cancelledLine(index));
      }
    }
    return cancelled.length > 0 ? [...batches, ResultBatch.ofLines(cancelled)] : batches;
  }

  /** It may be gone already, and a queue that stays expires by itself. */
  async #deleteQueue(queueUrl: string): Promise<void> {
    const deleted = this.#deployment.sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
    await deleted.catch(() => {});
  }
}
