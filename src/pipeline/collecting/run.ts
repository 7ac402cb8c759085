import { serviceNow } from '../../clock.ts';
import { FanfoldError } from '../../errors.ts';
import { isAwsError } from '../call-errors.ts';
import { notOk, type Result } from '../messages/result.ts';
import { ResultBatch } from '../messages/result-message.ts';
import { createdAt, newRunId } from '../names.ts';
import type { Deployment } from '../run/deployment.ts';
import { publishSealed } from '../run/heartbeat.ts';
import type { Ledger, RunLedger } from '../run/ledger.ts';
import { deleteQueue } from '../run/queues.ts';
import { type InputSource, openSource } from '../seeding/open-source.ts';
import type { Inputs } from '../seeding/pages.ts';
import type { S3Inputs } from '../seeding/s3-inputs.ts';
import { type Window, windowFor } from '../seeding/window.ts';
import { Deduplicator } from './deduplicator.ts';
import { type Last, lastBatches, notAllSeeded, takeLast } from './ending.ts';
import { kept } from './kept.ts';
import { InOrder } from './order.ts';
import { causeOf, type EndReason, type Phase, remainderOf } from './phase.ts';
import { LEFT, ResultReceiver } from './result-receiver.ts';
import { RunMonitor } from './run-monitor.ts';
import {
  type Budget,
  budgetOf,
  deadlineMs,
  leadingOf,
  ledgerOf,
  onAbort,
  type RunOptions,
} from './run-options.ts';
import { nothingComes } from './stall-detector.ts';

/**
 * One task over one list of inputs. It starts when it is made: its inputs are seeded as far as the
 * window lets them. `Phase` lists the states of a run, and how each is reached.
 */
export class Run<Output = unknown> implements AsyncIterable<Result<Output>> {
  readonly runId: string;
  /** Settles when the run is over, or its consumer has left it; it never rejects. */
  readonly ended: Promise<void>;
  readonly #deployment: Deployment;
  readonly #options: RunOptions;
  readonly #ledger: RunLedger;
  readonly #deduplicator: Deduplicator;
  readonly #window: Window;
  readonly #seeding: InputSource;
  readonly #budget: Budget | undefined;
  readonly #expiresAt: number;
  /** Aborted when no more results are to be waited for. */
  readonly #stop = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #phase: Phase = { is: 'open' };
  #iterated = false;
  #detached = false;

  constructor(
    deployment: Deployment,
    task: string,
    inputs: Inputs<unknown> | S3Inputs | undefined,
    options: RunOptions = {},
  ) {
    const { ordered = false, signal, resume } = options;
    this.ended = this.#ended.promise;
    const now = serviceNow(deployment.sqs);
    this.runId = resume?.runId ?? newRunId(now);
    this.#deployment = deployment;
    this.#options = options;
    this.#ledger = ledgerOf(options);
    this.#budget = budgetOf(options);
    this.#deduplicator = new Deduplicator(this.#ledger, {
      onCancel: () => void this.cancel(),
      onSealed: () => this.#seeding.look(),
      onBroken: (message) => this.fail(new FanfoldError('BadInput', message)),
    });
    this.#window = windowFor(deployment, ordered);
    this.#expiresAt = (createdAt(this.runId) ?? now) + deadlineMs(options);
    this.#seeding = openSource(inputs, {
      ...deployment,
      runId: this.runId,
      ledger: this.#ledger,
      task,
      expiresAt: this.#expiresAt,
      window: this.#window,
      resumeAt: resume && (resume.seeded ?? 0),
    });
    this.#seeding.done.then(
      () => this.#sealed(),
      (error: unknown) => this.#notSeeded(error),
    );
    if (signal) onAbort(signal, this.ended, () => this.fail(signal.reason));
  }

  /** The ledger so far. */
  get ledger(): Ledger {
    return this.#ledger.snapshot();
  }

  /** Why the run ended before its inputs did, such as `it was cancelled`; undefined when it did not. */
  get cause(): string | undefined {
    return this.#phase.is === 'ended' ? causeOf(this.#phase.why) : undefined;
  }

  /** How many of its results others took before, where they don't come here. */
  get elsewhere(): number {
    return this.#ledger.elsewhere;
  }

  /** How many inputs, from the first, are seeded for certain: where `resume` may go on. */
  get seeded(): number {
    return this.#seeding.seeded;
  }

  /**
   * Ends the run: what has no result yet ends `cancelled`, and its queue is deleted. Ends when
   * that is done; the consumer, if there is one, still gets the last results.
   */
  cancel(): Promise<void> {
    return this.#end({ is: 'cancelled' });
  }

  /**
   * Lets the run go on when its consumer leaves and its connection is closed: its results wait in its
   * queue. Ends when all inputs are seeded, as only then it needs nobody; rejects when they can't be.
   */
  detach(): Promise<void> {
    this.#detached = true;
    this.#window.open();
    return this.#deployment.keep?.(this.#seeding.done) ?? this.#seeding.done;
  }

  /** Takes no more results and seeds no more inputs: whoever resumes the run finds it as it is. */
  leave(): void {
    this.#leave(undefined);
  }

  /** The outputs in input order; the first input that did not end `ok` ends the run, and is thrown. */
  async *outputs(): AsyncGenerator<Output, void> {
    for await (const result of this.#results(true)) {
      if (result.status !== 'ok') throw notOk(result);
      yield result.output;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Result<Output>, void> {
    return this.#results(this.#options.ordered);
  }

  /** The results as JSON texts, in batches: for who passes them on and need not look into them. */
  batches(): AsyncGenerator<ResultBatch, void> {
    return kept(this.#batches(this.#options.ordered), this.#deployment);
  }

  async *#results(ordered = false): AsyncGenerator<Result<Output>, void> {
    for await (const { lines } of kept(this.#batches(ordered), this.#deployment)) {
      for (const { text } of lines) yield JSON.parse(text) as Result<Output>;
    }
  }

  async *#batches(ordered = false): AsyncGenerator<ResultBatch, void> {
    if (this.#iterated) {
      throw new FanfoldError('Closed', `The results of run ${this.runId} have been taken already.`);
    }
    this.#iterated = true;
    let ended = false;
    try {
      const queueUrl = await this.#seeding.queueUrl.catch((error) => this.#notSeeded(error));
      if (queueUrl !== undefined) yield* this.#collected(queueUrl, ordered);
      this.#throwFailure();
      if (queueUrl === undefined && this.#phase.is === 'ended') {
        const order = ordered ? new InOrder(0, () => {}, this.#ledger) : undefined;
        yield* this.#lastOf(await this.#phase.last, order);
      }
      ended = true;
    } catch (error) {
      // Its consumer is told, and has not left.
      ended = true;
      this.#leave({ error });
      throw error;
    } finally {
      if (!ended && this.#detached) this.#become({ is: 'left', failure: undefined }, LEFT);
      else if (!ended) await this.cancel();
      // A failure is thrown at once, while the run is still being drained.
      const last = this.#phase.is === 'ended' ? this.#phase.last : undefined;
      void Promise.resolve(last).then(() => this.#ended.resolve());
    }
  }

  async *#collected(queueUrl: string, ordered: boolean): AsyncGenerator<ResultBatch, void> {
    const collector = new ResultReceiver(this.#deployment.sqs, queueUrl, this.runId);
    onAbort(this.#stop.signal, this.ended, (reason) => collector.close(reason === LEFT));
    const ledger = this.#ledger;
    const order = ordered
      ? new InOrder(leadingOf(ledger), (received) => collector.acknowledge(received), ledger)
      : undefined;
    const monitor = await RunMonitor.begin(this.#deployment, queueUrl, {
      ...{ ledger, expiresAt: this.#expiresAt, collector: this.#options.collector },
      afterAnother: this.#options.resume !== undefined,
      onDeadline: () => void this.#end({ is: 'deadline' }),
      onStalled: (others) => this.#goWithout(others),
    });
    try {
      for await (const delivery of collector.deliveries()) {
        const fresh = this.#deduplicator.enter(delivery);
        // Copies of what waits for its turn may come for ever.
        if (fresh.length > 0) monitor.hold();
        this.#checkBudget();
        if (order) {
          yield* this.#taken(order.add(delivery, fresh));
          order.acknowledgeTaken();
        } else {
          yield* this.#taken(fresh);
          collector.acknowledge(delivery);
        }
        monitor.release(order?.isEmpty ?? true);
        if (ledger.balanced) break;
      }
      // Whoever deleted it has ended the run from elsewhere.
      if (collector.isQueueGone) void this.#end({ is: 'queueDeleted' });
    } finally {
      monitor.close();
      const isOver = ledger.balanced || this.#phase.is === 'ended';
      await collector.settled(isOver);
      await monitor.end(isOver);
    }
    this.#throwFailure();
    if (this.#phase.is === 'ended') yield* this.#lastOf(await this.#phase.last, order);
    else if (ledger.balanced) {
      // Where others took some, those that came later wait for them.
      if (order) yield* this.#taken([ResultBatch.ofLines(order.rest([]))]);
      await deleteQueue(this.#deployment.sqs, queueUrl);
    }
  }

  /** Nothing more comes: what is missing is with others, as far as they said so. */
  #goWithout(others: number): void {
    const missing = this.#ledger.inputs - this.#ledger.settled;
    if (missing > others) this.#leave({ error: nothingComes(this.runId, missing) });
    else this.#ledger.consumedElsewhere(missing);
    this.#stop.abort();
  }

  *#lastOf(last: Last, order: InOrder | undefined): Generator<ResultBatch, void> {
    for (const batch of lastBatches(last, order)) yield* this.#taken([batch]);
    if (last.isShort) throw notAllSeeded(this.runId, this.#ledger.inputs);
  }

  /** Hands batches on as one, and opens the window for more once they were taken. */
  *#taken(batches: readonly ResultBatch[]): Generator<ResultBatch, void> {
    const batch = ResultBatch.join(batches);
    if (batch.count === 0) return;
    yield batch;
    this.#window.taken(batch.count, batch.text.length);
  }

  #checkBudget(): void {
    if (!this.#budget?.(this.#ledger, this.#seeding.total)) return;
    void this.#end({ is: 'failureBudget', failed: this.#ledger.failed });
  }

  async #sealed(): Promise<void> {
    if (this.#ledger.balanced) this.#stop.abort();
    const queueUrl = await this.#seeding.queueUrl;
    if (queueUrl !== undefined) await publishSealed(this.#deployment.sqs, queueUrl, this.#ledger);
  }

  /** Inputs that can't be had end the run; a seed function that can't be reached leaves it as it is. */
  #notSeeded(error: unknown): undefined {
    if (isAwsError(error)) this.#leave({ error });
    else this.fail(error);
  }

  /** Ends the run with an error, which its consumer gets; what has no result ends `cancelled`. */
  fail(error: unknown): void {
    if (this.#detached) this.#leave({ error });
    else if (this.#isOpen) void this.#end({ is: 'error', error });
  }

  /** Throws what the run failed with, once its results need not be waited for. */
  #throwFailure(): void {
    const phase = this.#phase;
    if (phase.is === 'left' && phase.failure) throw phase.failure.error;
    if (phase.is === 'ended' && phase.why.is === 'error') throw phase.why.error;
  }

  get #isOpen(): boolean {
    // A result may still arrive when the ledger has balanced, and unbalance it.
    const isComplete = this.#ledger.balanced || this.#stop.signal.aborted;
    if (this.#phase.is === 'open' && isComplete) this.#phase = { is: 'complete' };
    return this.#phase.is === 'open';
  }

  /** Takes the run to its final state, unless it is in one, and stops the receiving of results. */
  #become(phase: Phase, reason?: typeof LEFT): void {
    if (!this.#isOpen) return;
    this.#phase = phase;
    this.#stop.abort(reason);
  }

  #leave(failure: { error: unknown } | undefined): void {
    if (!this.#isOpen) return;
    this.#seeding.stop();
    this.#become({ is: 'left', failure }, LEFT);
    this.#ended.resolve();
  }

  /** Ends the run before its inputs do. Resolves once the queue is drained and deleted. */
  async #end(why: EndReason): Promise<void> {
    if (this.#isOpen) {
      this.#seeding.stop();
      const [seeding, ledger, deduplicator] = [this.#seeding, this.#ledger, this.#deduplicator];
      const taken = { seeding, ledger, deduplicator, remainder: remainderOf(why) };
      const last = takeLast(this.#deployment, this.runId, taken);
      this.#become({ is: 'ended', why, last: this.#deployment.keep?.(last) ?? last });
    }
    if (this.#phase.is === 'ended') await this.#phase.last;
    this.#ended.resolve();
  }
}
