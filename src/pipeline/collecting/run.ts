import { serviceNow } from '../../clock.ts';
import { FanfoldError } from '../../errors.ts';
import type { Statistics } from '../../report/statistics.ts';
import { isAwsError, isUnknownRun } from '../call-errors.ts';
import { ResultBatch } from '../messages/result-message.ts';
import { createdAt, newRunId } from '../names.ts';
import type { Bitmap } from '../run/bitmap.ts';
import type { Deployment } from '../run/deployment.ts';
import { endRun, outcomeOf, type RunFacts } from '../run/ended.ts';
import { publishSealed } from '../run/heartbeat.ts';
import type { Ledger, RunLedger } from '../run/ledger.ts';
import { type InputSource, openSource } from '../seeding/open-source.ts';
import type { Inputs } from '../seeding/pages.ts';
import type { S3Inputs } from '../seeding/s3-inputs.ts';
import { type Window, windowFor } from '../seeding/window.ts';
import { Counting } from './counting.ts';
import { Deduplicator, type RunEvents } from './deduplicator.ts';
import { lastBatches, notAllSeeded, takeLast } from './ending.ts';
import { Knobs } from './knobs.ts';
import { notStarted } from './not-started.ts';
import { InOrder } from './order.ts';
import { causeOf, type EndReason, type Last, type Phase, throwFailure } from './phase.ts';
import { LEFT, ResultReceiver } from './result-receiver.ts';
import { type ResultStore, visibilityOf } from './result-store.ts';
import { RunHandle, readOnce } from './run-handle.ts';
import { RunMonitor } from './run-monitor.ts';
import {
  boundsOf,
  deadlineMs,
  leadingOf,
  ledgerOf,
  onAbort,
  type RunOptions,
} from './run-options.ts';
import { resultsUnaccounted } from './stall-detector.ts';
import type { RunObjects } from './with-outputs.ts';

/**
 * One task over one list of inputs. Seeding starts at construction, as far as the window allows.
 * `Phase` lists the states of a run.
 */
export class Run<Output = unknown> extends RunHandle<Output> {
  readonly #ended = Promise.withResolvers<void>();
  /** Settles when the run is over or its consumer has left; never rejects. */
  readonly ended = this.#ended.promise;
  readonly #deployment: Deployment;
  readonly #options: RunOptions;
  readonly #store: ResultStore | undefined;
  readonly #about: RunFacts;
  readonly #ledger: RunLedger;
  readonly #deduplicator: Deduplicator;
  readonly #window: Window;
  /** Inputs that had certainly not been started at the deadline. */
  #notStarted: Pick<Bitmap, 'has'> | undefined;
  readonly #seeding: InputSource;
  readonly #counting: Counting;
  protected override readonly knobs: Knobs;
  /** Aborted to stop receiving results. */
  readonly #stop = new AbortController();
  #phase: Phase = { is: 'open' };
  #iterated = false;
  #detached = false;

  constructor(
    deployment: Deployment,
    task: string,
    inputs: Inputs<unknown> | S3Inputs | undefined,
    options: RunOptions = {},
    store?: ResultStore,
  ) {
    const { ordered = false, signal, resume, collector = crypto.randomUUID() } = options;
    const now = serviceNow(deployment.sqs);
    super(deployment, ordered, resume?.runId ?? newRunId(now), store?.bill);
    this.#deployment = deployment;
    this.#options = options;
    this.#store = store;
    this.#about = { runId: this.runId, task, collector, bill: this.bill };
    this.#ledger = ledgerOf(options);
    const events: RunEvents = {
      onCancel: () => void this.cancel(),
      onSealed: () => this.#seeding.checkSoon(),
      onBroken: (message) => this.fail(new FanfoldError('BadInput', message)),
      onFailing: (notice) => this.#counting.outages.hear(notice),
      onUsed: (used) => this.bill?.add(used),
    };
    this.#deduplicator = new Deduplicator(this.#ledger, events, store?.begun);
    this.#window = windowFor(deployment, ordered);
    const expiresAt = (createdAt(this.runId) ?? now) + deadlineMs(options);
    const bounds = boundsOf(options, deployment);
    this.#seeding = openSource(inputs, {
      ...deployment,
      ...{ runId: this.runId, task, ledger: this.#ledger },
      ...{ window: this.#window, bounds, expiresAt, onUsed: events.onUsed },
      ...{ resumeAt: resume && (resume.seeded ?? 0), isPatient: store !== undefined },
    });
    const { queueUrl, done } = this.#seeding;
    this.knobs = new Knobs(deployment, this.runId, queueUrl, { ...bounds, expiresAt });
    this.#counting = new Counting(deployment, {
      ...{ options, runId: this.runId, ledger: this.#ledger, knobs: this.knobs },
      statistics: store?.statistics,
      total: () => this.#seeding.total,
      onOverBudget: (failed) => void this.#end({ is: 'failureBudget', failed }),
    });
    done.then(() => this.#sealed()).catch((error: unknown) => this.#notSeeded(error));
    if (signal) onAbort(signal, this.ended, () => this.fail(signal.reason));
  }

  /** The ledger so far. */
  get ledger(): Ledger {
    return this.#ledger.snapshot();
  }

  /** Reason why the run ended early, such as `it was cancelled`; otherwise undefined. */
  get cause(): string | undefined {
    return this.#phase.is === 'ended' ? causeOf(this.#phase.why) : undefined;
  }

  /** Statistics of the results that this collector has received. */
  statistics(): Statistics {
    return this.#counting.statistics;
  }

  /** Results that other collectors consumed and this one does not receive. */
  get elsewhere(): number {
    return this.#ledger.elsewhere;
  }

  /** Number of inputs, from the first, that are certain to be seeded: `resume` can start there. */
  get seeded(): number {
    return this.#seeding.seeded;
  }

  /**
   * Cancels the run: inputs without a result end `cancelled`, and the queue is deleted. Resolves
   * when that is done. The consumer, if there is one, still gets the last results.
   */
  cancel(): Promise<void> {
    return this.#end({ is: 'cancelled' });
  }

  /**
   * Lets the run continue after its consumer leaves and its connection closes: results wait in its
   * queue. Resolves once all inputs are seeded, which needs this process; rejects if they can't be.
   */
  detach(): Promise<void> {
    this.#detached = true;
    this.#window.open();
    return this.#deployment.keep?.(this.#seeding.done) ?? this.#seeding.done;
  }

  /** Stops collecting and seeding. The run can be resumed from its present state. */
  leave(): void {
    this.#leave(undefined);
  }

  protected override async *received(ordered = false): AsyncGenerator<ResultBatch, void> {
    if (this.#iterated) throw readOnce(this.runId);
    this.#iterated = true;
    let ended = false;
    try {
      const queueUrl = await this.#seeding.queueUrl.catch((error) => this.#notSeeded(error));
      if (queueUrl !== undefined) yield* this.#collected(queueUrl, ordered);
      throwFailure(this.#phase, this.#store);
      if (queueUrl === undefined && this.#phase.is === 'ended') {
        const order = ordered ? new InOrder(0, () => {}, this.#ledger) : undefined;
        yield* this.#lastOf(await this.#phase.last, order);
      }
      ended = true;
    } catch (error) {
      // The consumer gets the error; it has not left.
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

  /** A store's owner deletes the objects itself, and a run that goes on needs them. */
  protected override get objects(): RunObjects {
    const { is } = this.#phase;
    const mayBeThere = !this.#seeding.isOurs || this.#options.resume !== undefined;
    const of = { runId: this.runId, ledger: this.#ledger, mayBeThere, hasEnded: is === 'ended' };
    return { ...of, isKept: this.#store !== undefined || is === 'left' };
  }

  async *#collected(queueUrl: string, ordered: boolean): AsyncGenerator<ResultBatch, void> {
    const { sqs } = this.#deployment;
    const collector = new ResultReceiver(sqs, queueUrl, this.runId, visibilityOf(this.#store));
    const acknowledge = this.knobs.condemning(collector);
    onAbort(this.#stop.signal, this.ended, (reason) => collector.close(reason === LEFT));
    const ledger = this.#ledger;
    const order = ordered ? new InOrder(leadingOf(ledger), acknowledge, ledger) : undefined;
    const monitor = await RunMonitor.begin(this.#deployment, queueUrl, {
      ...{ ...this.#options, ...this.#about, ledger, knobs: this.knobs, store: this.#store },
      afterAnother: this.#options.resume !== undefined,
      onPassed: () => {
        this.#notStarted = notStarted(this.#deployment, this.runId);
      },
      onOverCost: (why) => void this.#end(why),
      onDeadline: () => void this.#end({ is: 'deadline' }),
      onStalled: (others) => this.#goWithout(others),
    });
    try {
      for await (const delivery of collector.deliveries()) {
        const fresh = this.#deduplicator.enter(delivery);
        // Copies of results that wait for their turn may arrive forever: they hold nothing up.
        if (fresh.length > 0) monitor.hold(fresh);
        this.#counting.arrived(fresh);
        if (order) {
          yield* this.#taken(order.add(delivery, fresh));
          order.acknowledgeConsumed();
        } else {
          yield* this.#taken(fresh);
          if (this.#store) this.#store.taken(delivery, acknowledge);
          else acknowledge(delivery);
        }
        monitor.release(order?.isEmpty ?? true);
        if (ledger.balanced) break;
      }
      // The queue was deleted elsewhere, which ends the run.
      if (collector.isQueueGone) void this.#end({ is: 'queueDeleted' });
      await this.#store?.flush();
    } finally {
      monitor.close();
      const isOver = ledger.balanced || this.#phase.is === 'ended';
      await Promise.all([this.#counting.end(), collector.settled(isOver)]);
      await monitor.end(!isOver && !this.#store?.isReplaced);
    }
    throwFailure(this.#phase, this.#store);
    if (this.#phase.is === 'ended') yield* this.#lastOf(await this.#phase.last, order);
    else if (ledger.balanced) {
      // If other collectors consumed some results, later ones are still waiting for those.
      if (order) yield* this.#taken([ResultBatch.ofLines(order.rest([]))]);
      if (!this.#store) await endRun(this.#deployment, queueUrl, outcomeOf(this.#about, ledger));
    }
  }

  /** No more results will arrive. Other collectors have reported `others` of the missing ones. */
  #goWithout(others: number): void {
    const missing = this.#ledger.inputs - this.#ledger.settled;
    if (missing > others) this.#leave({ error: resultsUnaccounted(this.runId, missing) });
    else this.#ledger.consumedElsewhere(missing);
    this.#stop.abort();
  }

  *#lastOf(last: Last, order: InOrder | undefined): Generator<ResultBatch, void> {
    for (const batch of lastBatches(last, order)) yield* this.#taken([batch]);
    if (last.isShort) throw notAllSeeded(this.runId, this.#ledger.inputs);
  }

  /** Hands batches on as one. Once that is consumed, the window opens for more inputs. */
  *#taken(batches: readonly ResultBatch[]): Generator<ResultBatch, void> {
    const batch = ResultBatch.join(batches);
    if (batch.count === 0) return;
    this.#counting.taken(batch);
    yield batch;
    this.#window.taken(batch.count, batch.text.length);
  }

  async #sealed(): Promise<void> {
    if (this.#ledger.balanced) this.#stop.abort();
    const queueUrl = await this.#seeding.queueUrl;
    if (queueUrl !== undefined) await publishSealed(this.#deployment.sqs, queueUrl, this.#ledger);
  }

  /** Unreadable inputs end the run; an unreachable seed function leaves it as it is. */
  #notSeeded(error: unknown): undefined {
    if (this.#store && isUnknownRun(error)) void this.#end({ is: 'queueDeleted' });
    else isAwsError(error) ? this.#leave({ error }) : this.fail(error);
  }

  /** Ends the run with an error for its consumer; inputs without a result end `cancelled`. */
  fail(error: unknown): void {
    if (this.#detached) this.#leave({ error });
    else if (this.#isOpen) void this.#end({ is: 'error', error });
  }

  get #isOpen(): boolean {
    // A result may still unbalance a ledger that has balanced.
    const isComplete = this.#ledger.balanced || this.#stop.signal.aborted;
    if (this.#phase.is === 'open' && isComplete) this.#phase = { is: 'complete' };
    return this.#phase.is === 'open';
  }

  /** Moves the run to a final state, unless it is in one, and stops receiving results. */
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

  /** Ends the run early. Resolves once the queue is drained and deleted. */
  async #end(why: EndReason): Promise<void> {
    if (this.#isOpen) {
      this.#seeding.stop();
      this.#store?.ending(why);
      const [seeding, ledger, deduplicator] = [this.#seeding, this.#ledger, this.#deduplicator];
      const ended = { about: this.#about, why, notStarted: this.#notStarted, store: this.#store };
      const taken = { seeding, ledger, deduplicator, ...ended };
      const last = takeLast(this.#deployment, taken);
      this.#become({ is: 'ended', why, last: this.#deployment.keep?.(last) ?? last });
    }
    if (this.#phase.is === 'ended') await this.#phase.last;
    this.#ended.resolve();
  }
}
