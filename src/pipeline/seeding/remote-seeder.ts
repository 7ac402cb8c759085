import type { SQSClient } from '@aws-sdk/client-sqs';
import { wait } from '../../retry.ts';
import { isMissingQueue, isTransient } from '../call-errors.ts';
import type { Names } from '../names.ts';
import type { RunLedger } from '../run/ledger.ts';
import { findExpectedQueue } from '../run/queues.ts';
import { unknownRun } from '../run/status.ts';
import { type RunTags, readTags } from '../run/tags.ts';
import type { InputSource } from './input-source.ts';

/**
 * First and longest pause between reads of a run's tags while another process seeds it, in
 * milliseconds. AWS allows 30 such calls a second per account, for all its runs.
 */
const PAUSE_MS = 2_000;
const PAUSE_CAP_MS = 30_000;

/** Shortest pause, in milliseconds, however often `checkSoon` is called. */
const SHORTEST_PAUSE_MS = 1_000;

/** Looks for a queue that seems to be gone: SQS may not find one for a moment. */
const LOOKS = 3;
const LOOKS_APART_MS = 15_000;

export interface RemoteSeederOptions {
  sqs: SQSClient;
  names: Names;
  runId: string;
  ledger: RunLedger;
  /**
   * Whether a queue that is not found counts as gone only after half a minute, since the run then
   * ends. @default false
   */
  isPatient?: boolean | undefined;
  /** Starts seeding; returns the URL of the run's queue. @default the queue is there already */
  begin?: () => Promise<string>;
}

/**
 * The inputs of a run that another process seeded, or still seeds. Only the tags of its queue say
 * how many there are. A notice that the run is sealed is not trusted: it causes the tags to be read
 * at once, so a forged or early one costs a call. If no notice arrives, the next regular read finds
 * the tags.
 */
export class RemoteSeeder implements InputSource {
  readonly queueUrl: Promise<string>;
  readonly done: Promise<void>;
  readonly total: undefined;
  readonly isOurs = false;
  readonly unsent = Number.POSITIVE_INFINITY;
  readonly #options: RemoteSeederOptions;
  readonly #stop = new AbortController();
  /** Aborted to end the pause between two reads. */
  #pause = new AbortController();

  constructor(options: RemoteSeederOptions) {
    this.#options = options;
    this.queueUrl = this.#find();
    this.done = this.#sealed();
    this.queueUrl.catch(() => {});
    this.done.catch(() => {});
  }

  get known(): number {
    return this.#options.ledger.inputs;
  }

  get seeded(): number {
    const { sealed, inputs } = this.#options.ledger;
    return sealed ? inputs : 0;
  }

  checkSoon(): void {
    this.#pause.abort();
  }

  stop(): void {
    this.#stop.abort();
    this.#pause.abort();
  }

  async #find(): Promise<string> {
    const { sqs, names, runId, begin, isPatient = false } = this.#options;
    if (begin) return begin();
    for (let looks = 1; ; looks++) {
      const url = await findExpectedQueue(sqs, names.run(runId));
      if (url !== undefined) return url;
      if (!isPatient || looks === LOOKS || this.#stop.signal.aborted) break;
      await wait(LOOKS_APART_MS, this.#stop.signal);
    }
    throw unknownRun(runId, names.name);
  }

  async #sealed(): Promise<void> {
    const { sqs } = this.#options;
    const { signal } = this.#stop;
    const queueUrl = await this.queueUrl;
    let pauseMs = PAUSE_MS;
    while (!signal.aborted) {
      this.#pause = new AbortController();
      const tags = await readTags(sqs, queueUrl).catch((error: unknown): RunTags => {
        // The collector detects whether the queue is gone.
        if (isTransient(error) || isMissingQueue(error)) return {};
        throw error;
      });
      // A run that has ended meanwhile was sealed at its end.
      if (signal.aborted || this.#take(tags)) return;
      await wait(SHORTEST_PAUSE_MS, signal);
      // Collectors that started together must not read together.
      const jittered = pauseMs * (0.5 + Math.random() / 2);
      await wait(jittered - SHORTEST_PAUSE_MS, this.#pause.signal);
      pauseMs = this.#pause.signal.aborted ? PAUSE_MS : Math.min(pauseMs * 2, PAUSE_CAP_MS);
    }
  }

  /** Enters the tags in the ledger. Returns true when nothing more can be learned from them. */
  #take({ state, total, bound }: RunTags): boolean {
    const { ledger } = this.#options;
    const limit = total ?? bound;
    if (limit !== undefined) ledger.limit(limit);
    if (total === undefined) return false;
    ledger.expect(total);
    // The seeder may have left after seeding all inputs and before sealing the run.
    if (state !== 'sealed' && ledger.settled < total) return false;
    ledger.seal(total);
    return true;
  }
}
