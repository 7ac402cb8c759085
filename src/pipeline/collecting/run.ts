import { FanfoldError, messageOf } from '../../errors.ts';
import type { Deployment } from '../deployment.ts';
import { isCallError, isMissingQueue } from '../faults.ts';
import { howItEnded, type Result } from '../messages/result.ts';
import { ResultBatch } from '../messages/result-message.ts';
import { createdAt, newRunId } from '../names.ts';
import { deleteQueue } from '../queues.ts';
import { Attached } from '../seeding/attached.ts';
import type { Inputs } from '../seeding/pages.ts';
import { Seeding } from '../seeding/seeding.ts';
import type { Seeds } from '../seeding/seeds.ts';
import { Window } from '../seeding/window.ts';
import { Collector, type Delivery, drain } from './collect.ts';
import { Intake, type Remainder } from './intake.ts';
import type { Account, Ledger } from './ledger.ts';
import { InOrder } from './order.ts';
import { Presence, tellProgress } from './presence.ts';
import {
  accountOf,
  type Budget,
  budgetOf,
  deadlineMs,
  leadingOf,
  type RunOptions,
} from './run-options.ts';

/** Bytes that an ordered run's results may take while they wait for an earlier one. */
const ORDERED_BYTES = 64 * 1024 * 1024;

/**
 * One task over one list of inputs. It starts when it is made: its inputs are seeded as far as the
 * window lets them, whether or not anybody takes results yet.
 *
 * It is over when it is sealed (all inputs seeded) and its ledger balances; then its queue is
 * deleted. It is ended earlier, with a result for each input nevertheless, when it is cancelled, by
 * its deadline or its failure budget, by an error of its inputs, or when its consumer leaves. It is
 * left as it is, to be resumed, by `leave`, and when AWS can't be reached.
 */
export class Run<Output = unknown> implements AsyncIterable<Result<Output>> {
  readonly runId: string;
  /** Settles when the run is over, or its consumer has left it; it never rejects. */
  readonly ended: Promise<void>;
  readonly #deployment: Deployment;
  readonly #ordered: boolean;
  readonly #account: Account;
  readonly #intake: Intake;
  readonly #window: Window;
  readonly #seeding: Seeds;
  readonly #budget: Budget | undefined;
  /** Index of the first result that an ordered run hands on. */
  readonly #first: number;
  /** Aborted when no more results are to be waited for. */
  readonly #stop = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #iterated = false;
  #detached = false;
  #failure: { error: unknown } | undefined;
  #ending: Promise<ResultBatch[]> | undefined;
  #cause: string | undefined;
  #presence: Presence | undefined;

  constructor(
    deployment: Deployment,
    task: string,
    inputs: Inputs<unknown> | undefined,
    options: RunOptions = {},
  ) {
    const { ordered = false, signal, resume } = options;
    this.ended = this.#ended.promise;
    this.runId = resume?.runId ?? newRunId();
    this.#deployment = deployment;
    this.#ordered = ordered;
    this.#account = accountOf(options);
    this.#first = ordered ? leadingOf(this.#account) : 0;
    this.#budget = budgetOf(options);
    this.#intake = new Intake(this.#account, () => void this.#end('cancelled', 'it was cancelled'));
    const bytes = deployment.windowBytes ?? (ordered ? ORDERED_BYTES : undefined);
    this.#window = new Window(bytes === undefined ? undefined : { bytes, ordered });
    const expiresAt = (createdAt(this.runId) ?? Date.now()) + deadlineMs(options);
    const seeds = { ...deployment, runId: this.runId, account: this.#account };
    this.#seeding =
      inputs === undefined
        ? new Attached(seeds)
        : new Seeding({
            ...seeds,
            task,
            inputs,
            expiresAt,
            window: this.#window,
            resumeAt: resume && (resume.seeded ?? 0),
          });
    this.#seeding.done.then(
      () => this.#sealed(),
      (error: unknown) => this.#notSeeded(error),
    );
    const expire = () => void this.#end('lost', 'its deadline came');
    const deadline = setTimeout(expire, Math.max(0, expiresAt - Date.now()));
    const abort = () => this.fail(signal?.reason);
    signal?.addEventListener('abort', abort);
    void this.ended.then(() => {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', abort);
    });
    if (signal?.aborted) abort();
  }

  /** The account so far. */
  get ledger(): Ledger {
    return this.#account.snapshot();
  }

  /** Why the run ended before its inputs did, such as `it was cancelled`; undefined when it did not. */
  get cause(): string | undefined {
    return this.#cause;
  }

  /** How many inputs, from the first, are seeded for certain: where `resume` may go on. */
  get seeded(): number {
    return this.#seeding.seeded;
  }

  /**
   * Ends the run: what has no result yet ends `cancelled`, and its queue is deleted. Ends when
   * that is done; the consumer, if there is one, still gets the last results.
   */
  async cancel(): Promise<void> {
    await this.#end('cancelled', 'it was cancelled');
  }

  /** Lets the run go on when its consumer leaves: its results wait in its queue. */
  detach(): void {
    this.#detached = true;
    this.#window.open();
  }

  /** Takes no more results and seeds no more inputs: whoever resumes the run finds it as it is. */
  leave(): void {
    this.#leave(undefined);
  }

  /** The outputs in input order; the first input that did not end `ok` ends the run, and is thrown. */
  async *outputs(): AsyncGenerator<Output, void> {
    for await (const result of this.#results(true)) {
      if (result.status === 'ok') {
        yield result.output;
        continue;
      }
      throw new FanfoldError('TaskFailed', `Input ${result.index} ${howItEnded(result)}`);
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
      const queueUrl = await this.#seeding.queueUrl.catch((error: unknown) =>
        this.#notSeeded(error),
      );
      if (queueUrl !== undefined) yield* this.#collected(queueUrl, ordered);
      if (this.#failure) throw this.#failure.error;
      if (queueUrl === undefined && this.#ending) yield* this.#taken(await this.#ending);
      ended = true;
    } catch (error) {
      // Its consumer is told, and has not left.
      ended = true;
      this.#leave({ error });
      throw error;
    } finally {
      if (!ended && this.#detached) this.#stop.abort();
      else if (!ended) await this.cancel();
      this.#ended.resolve();
    }
  }

  async *#collected(queueUrl: string, ordered: boolean): AsyncGenerator<ResultBatch, void> {
    const collector = new Collector(this.#deployment.sqs, queueUrl);
    const close = () => collector.close();
    this.#stop.signal.addEventListener('abort', close);
    if (this.#stop.signal.aborted) close();
    const order = ordered
      ? new InOrder(this.#first, (delivery) => collector.acknowledge(delivery))
      : undefined;
    this.#presence = new Presence(this.#deployment.sqs, queueUrl, this.#account);
    this.#presence.tell();
    try {
      for await (const delivery of this.#deliveries(collector)) {
        const fresh = this.#intake.enter(delivery);
        this.#checkBudget();
        if (order) {
          yield* this.#taken(order.add(delivery, fresh));
          order.acknowledgeTaken();
        } else {
          yield* this.#taken(fresh);
          collector.acknowledge(delivery);
        }
        if (this.#account.balanced) break;
      }
    } finally {
      this.#stop.signal.removeEventListener('abort', close);
      await collector.settled();
      if (this.#account.balanced || this.#ending) this.#presence.end();
      else await this.#presence.leave();
    }
    if (this.#failure) return;
    if (this.#ending) {
      const rest = await this.#ending;
      yield* this.#taken(order ? order.rest(rest) : rest);
    } else if (this.#account.balanced) {
      await deleteQueue(this.#deployment.sqs, queueUrl);
    }
  }

  /** What the collector takes. A queue that is gone was deleted by who ended the run from elsewhere. */
  async *#deliveries(collector: Collector): AsyncGenerator<Delivery, void> {
    try {
      yield* collector.deliveries();
    } catch (error) {
      if (!isMissingQueue(error)) throw error;
      void this.#end('cancelled', 'its result queue was deleted');
    }
  }

  /** Hands batches on as one, and opens the window for more once they were taken. */
  *#taken(batches: readonly ResultBatch[]): Generator<ResultBatch, void> {
    const batch = ResultBatch.join(batches);
    if (batch.count === 0) return;
    yield batch;
    this.#window.taken(batch.count, batch.text.length);
  }

  #checkBudget(): void {
    if (!this.#budget?.(this.#account, this.#seeding.total)) return;
    void this.#end(
      'cancelled',
      `${this.#account.failed} inputs failed, more than \`maxFailures\` allows`,
    );
  }

  async #sealed(): Promise<void> {
    if (this.#account.balanced) this.#stop.abort();
    const queueUrl = await this.#seeding.queueUrl;
    if (queueUrl !== undefined) await tellProgress(this.#deployment.sqs, queueUrl, this.#account);
  }

  /** Inputs that can't be had end the run; a seed function that can't be reached leaves it as it is. */
  #notSeeded(error: unknown): undefined {
    if (isCallError(error)) this.#leave({ error });
    else this.fail(error);
  }

  /** Ends the run with an error, which its consumer gets; what has no result ends `cancelled`. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    void this.#end('cancelled', messageOf(error));
    this.#failure = { error };
  }

  get #isOver(): boolean {
    return this.#account.balanced || this.#failure !== undefined || this.#stop.signal.aborted;
  }

  #leave(failure: { error: unknown } | undefined): void {
    if (this.#isOver) return;
    this.#failure = failure;
    this.#seeding.stop();
    this.#stop.abort();
    this.#ended.resolve();
  }

  /** Ends the run before its inputs do: each that has no result gets one. */
  async #end(remainder: Remainder, cause: string): Promise<void> {
    if (!this.#isOver) {
      this.#cause = cause;
      this.#ending = this.#drain(remainder);
    }
    await this.#ending;
    this.#ended.resolve();
  }

  /** Takes what is in the queue, and deletes it. */
  async #takeLast(queueUrl: string): Promise<ResultBatch[]> {
    const { sqs } = this.#deployment;
    const batches: ResultBatch[] = [];
    for await (const delivery of drain(sqs, queueUrl))
      batches.push(...this.#intake.enter(delivery));
    await deleteQueue(sqs, queueUrl);
    return batches;
  }

  /** Takes what is there, deletes the queue, and enters what became of the rest. */
  async #drain(remainder: Remainder): Promise<ResultBatch[]> {
    this.#seeding.stop();
    this.#stop.abort();
    const account = this.#account;
    const queueUrl = await this.#seeding.queueUrl.catch(() => undefined);
    const batches = queueUrl === undefined ? [] : await this.#takeLast(queueUrl);
    account.inputs = Math.max(account.inputs, this.#seeding.known);
    account.sealed = true;
    return [...batches, this.#intake.rest(remainder)];
  }
}
