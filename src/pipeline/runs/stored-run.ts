import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { S3Client } from '@aws-sdk/client-s3';
import { FanfoldError, messageOf } from '../../errors.ts';
import { type Cost, repriced } from '../../planning/cost.ts';
import { retry } from '../../retry.ts';
import { isAwsError, isTransient, PATIENCE_MS } from '../call-errors.ts';
import { Knobs } from '../collecting/knobs.ts';
import { RunHandle } from '../collecting/run-handle.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import { folderOf, type RetryFailed } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import type { Ledger, RunLedger } from '../run/ledger.ts';
import { breakRun, sealRun } from '../run/seal.ts';
import { type RunStatus, refuseCollected, statusOf } from '../run/status.ts';
import { writeTags } from '../run/tags.ts';
import type { InputsHash } from '../seeding/inputs-hash.ts';
import type { RunBounds } from '../seeding/seed-s3-run.ts';
import type { Seeder } from '../seeding/seeder.ts';
import { announcerOn } from '../storing/announce.ts';
import { collectStored } from '../storing/collect-stored.ts';
import { manifestAtEnd, recordGone } from '../storing/follow.ts';
import { type KeptResults, keptResults } from '../storing/kept-results.ts';
import type { Manifest } from '../storing/manifest.ts';
import { readStored, refuseTables } from '../storing/read.ts';
import { StateObject } from '../storing/state-object.ts';
import { type Cancelled, cancelRun } from './cancel.ts';
import { collectedByFunction } from './collected-by-function.ts';

/** The clients of AWS that stored runs need besides those of the deployment. */
export interface StoreClients {
  s3(): Promise<S3Client>;
  events(): Promise<EventBridgeClient>;
}

/** A run that a stored run's handle begins or finds. */
export interface Begun {
  /** Its folder in S3, `s3://bucket/prefix/<runId>/`. */
  output: string;
  /** Undefined if the run was begun elsewhere. */
  queueUrl?: string;
}

interface Seeding {
  seeder: Seeder;
  ledger: RunLedger;
  hash: InputsHash;
}

/** Interval at which the mark of the inputs is written while they are seeded, in milliseconds. */
const MARK_MS = 5_000;

interface Parts {
  deployment: Deployment;
  clients: StoreClients;
  runId: string;
  expiresAt: number;
  ordered?: boolean | undefined;
  bounds?: RunBounds | undefined;
  begun: Promise<Begun>;
  /** What was found of a run that was begun elsewhere; undefined if it is over. */
  found?: { status: RunStatus | undefined };
  /** Seeds the run's inputs. @default they are seeded elsewhere */
  seeding?: Seeding | undefined;
}

/**
 * A run whose results the stack's collector function stores in S3. It goes on without this process
 * once its inputs are seeded. Iterating it waits for its end, and then yields the stored results.
 */
export class StoredRun<Output = unknown> extends RunHandle<Output> {
  /** The folder of its results, `s3://bucket/prefix/<runId>/`. Resolves once the run has begun. */
  readonly output: Promise<string>;
  /** @internal Settles when the run is over, or this process has nothing more to do with it. */
  readonly ended: Promise<void>;
  readonly #ended = Promise.withResolvers<void>();
  readonly #deployment: Deployment;
  readonly #clients: StoreClients;
  readonly #seeding: Seeding | undefined;
  readonly #seeded: Promise<void>;
  readonly #stop = new AbortController();
  #failure: { error: unknown } | undefined;
  readonly #isOver: boolean;
  #status: RunStatus | undefined;
  /** What the run has cost in all, once it is over. */
  #cost: Cost | undefined;
  protected override readonly knobs: Knobs;

  /** Use `map`, or `stored`. */
  constructor({
    deployment,
    clients,
    runId,
    expiresAt,
    ordered,
    bounds,
    begun,
    seeding,
    ...more
  }: Parts) {
    super(deployment, ordered, runId);
    this.#deployment = deployment;
    this.#clients = clients;
    this.#seeding = seeding;
    this.#status = more.found?.status;
    this.#isOver = more.found !== undefined && more.found.status === undefined;
    this.ended = this.#ended.promise;
    this.output = begun.then(({ output }) => output);
    this.#seeded = seeding ? this.#seed(seeding, begun) : begun.then(() => {});
    // Callers await each as they need it; an unawaited rejection must not end the process.
    for (const promise of [this.output, this.#seeded]) promise.catch(() => {});
    this.#seeded.catch(() => this.#ended.resolve());
    const queueUrl = begun.then(
      (made) => made.queueUrl,
      () => undefined,
    );
    this.knobs = new Knobs(deployment, runId, queueUrl, { ...bounds, expiresAt });
  }

  /** Number of inputs, from the first, that are certain to be seeded here. */
  get seeded(): number {
    return this.#seeding?.seeder.seeded ?? 0;
  }

  override get cost(): Cost | undefined {
    return this.#cost ?? this.#status?.cost;
  }

  /** The status as of the last look: when the run was found, and while `wait` waits. */
  get status(): RunStatus | undefined {
    return this.#status;
  }

  /**
   * Resolves once the run does not need this process any more: its inputs are seeded, or the seed
   * function reads them from S3. Rejects if they can't be.
   */
  detach(): Promise<void> {
    return this.#seeded;
  }

  /**
   * Resolves to the manifest once the run is over, whether its inputs succeeded or not.
   *
   * @throws FanfoldError `RunFailed` when the run ended without a manifest, or its collector
   * function was given up
   */
  async wait(): Promise<Manifest> {
    await this.#seeded;
    const stored = await manifestAtEnd({
      deployment: this.#deployment,
      s3: await this.#clients.s3(),
      folder: folderOf(await this.output),
      runId: this.runId,
      isOver: this.#isOver,
      onStatus: (status) => {
        this.#status = status;
      },
      signal: this.#stop.signal,
    });
    const manifest = repriced(stored, this.#deployment);
    this.#cost = manifest.cost;
    this.#ended.resolve();
    return manifest;
  }

  /**
   * The results that are stored by now, as JSON texts in batches. Unlike iterating the run, it does
   * not wait for its end.
   *
   * @throws FanfoldError `BadOption` when the results are tables, of CSV or Parquet
   */
  async *soFar({ ordered = false } = {}): AsyncGenerator<ResultBatch, void> {
    yield* readStored(await this.#clients.s3(), folderOf(await this.output), ordered);
  }

  /**
   * The results that stay when another run continues this one, which must be over: those that are
   * `ok`, and the failures that `retryFailed` does not name. Pass them to `map` as `resume`.
   *
   * @throws FanfoldError `BadOption` when the run goes on
   */
  async kept({
    retryFailed,
  }: {
    retryFailed?: RetryFailed | undefined;
  } = {}): Promise<KeptResults> {
    const folder = folderOf(await this.output);
    return keptResults(await this.#clients.s3(), this.#deployment, folder, retryFailed);
  }

  /** Asks the run's collector function to end it: inputs without a result end `cancelled`. */
  cancel(): Promise<Cancelled> {
    return cancelRun(this.#deployment, this.runId, this.#clients.s3);
  }

  /**
   * Collects the run in this process, if its collector function was given up: the function was
   * restarted several times without progress. Resolves at the run's end.
   *
   * @param signal aborting it leaves the run, which can be collected again
   * @param onProgress called with the ledger as results arrive
   * @throws FanfoldError `BadOption` when the function, or another process, collects the run
   */
  async collect(
    signal: AbortSignal = new AbortController().signal,
    onProgress: (ledger: Ledger) => void = () => {},
  ): Promise<void> {
    const s3 = await this.#clients.s3();
    const output = await this.output;
    const folder = folderOf(output);
    const state = await StateObject.load(s3, folder);
    if (state === undefined) throw recordGone(this.runId, folder);
    if (!state.run.isGivenUp) throw collectedByFunction(this.#deployment, this.runId, output);
    const status = await statusOf(this.#deployment, this.runId);
    if (status) refuseCollected(status);
    const collected = await collectStored({
      deployment: this.#deployment,
      s3,
      announcer: announcerOn(await this.#clients.events(), () => {}),
      folder,
      runId: this.runId,
      epoch: state.run.epoch,
      owner: crypto.randomUUID(),
      ...{ signal, onProgress },
      limits: { ms: 10_000 },
    });
    if (collected.is === 'superseded') {
      const isGone = (await StateObject.load(s3, folder)) === undefined;
      throw isGone ? recordGone(this.runId, folder) : replacedHere(this.runId);
    }
    signal.throwIfAborted();
  }

  /** Stops seeding and waiting. The run stays as it is. */
  leave(): void {
    this.#halt(new FanfoldError('Closed', `Run ${this.runId} was left.`));
  }

  /** @internal Ends seeding and waiting with an error; cancels a run that is not seeded. */
  fail(error: unknown): void {
    // A run that was left stays as it is.
    if (!this.#stop.signal.aborted) this.#failure = { error };
    this.#halt(error);
  }

  #halt(reason: unknown): void {
    this.#stop.abort(reason);
    this.#seeding?.seeder.stop();
    const end = () => this.#ended.resolve();
    this.#seeded.then(end, end);
  }

  async #seed({ seeder, ledger, hash }: Seeding, begun: Promise<Begun>): Promise<void> {
    const { sqs } = this.#deployment;
    const { runId } = this;
    const remember = async () => {
      const { queueUrl } = await begun;
      // A killed caller leaves the last one.
      if (queueUrl) await writeTags(sqs, queueUrl, { inputs: hash.mark });
    };
    const timer = setInterval(() => void remember().catch(() => {}), MARK_MS);
    try {
      await seeder.done;
      // It may have been stopped after its last page, or before.
      const isWhole = ledger.sealed || seeder.seeded === seeder.total;
      if (!isWhole) this.#stop.signal.throwIfAborted();
      const total = ledger.sealed ? ledger.inputs : seeder.seeded;
      const { queueUrl = '' } = await begun;
      await retry(() => sealRun(sqs, queueUrl, { runId, total, inputs: hash.mark }), {
        while: (error, _, failingMs) => isTransient(error) && failingMs < PATIENCE_MS,
      });
    } catch (error) {
      await remember().catch(() => {});
      const isLeft = this.#stop.signal.aborted && !this.#failure;
      if (!isLeft && !isAwsError(error)) await this.#break(begun, messageOf(error));
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Has the collector end a run whose inputs can't all be seeded. */
  async #break(begun: Promise<Begun>, message: string): Promise<void> {
    try {
      const { queueUrl } = await begun;
      if (queueUrl) await breakRun(this.#deployment.sqs, queueUrl, { runId: this.runId, message });
    } catch {
      // It did not begin; or it ends at its deadline.
    }
  }

  protected override async *received(ordered = false): AsyncGenerator<ResultBatch, void> {
    // At once, and not at the run's end.
    await refuseTables(await this.#clients.s3(), folderOf(await this.output));
    await this.wait();
    yield* this.soFar({ ordered });
  }
}

function replacedHere(runId: string): FanfoldError {
  return new FanfoldError(
    'RunFailed',
    `Another process has begun to collect run ${runId}, so this one has stopped. To follow it: fanfold wait ${runId}`,
  );
}
