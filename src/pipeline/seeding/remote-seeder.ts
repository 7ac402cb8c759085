import type { SQSClient } from '@aws-sdk/client-sqs';
import { wait } from '../../retry.ts';
import { isMissingQueue, isTransient } from '../call-errors.ts';
import type { Names } from '../names.ts';
import type { RunLedger } from '../run/ledger.ts';
import { findSurely } from '../run/queues.ts';
import { unknownRun } from '../run/status.ts';
import { type RunTags, readTags } from '../run/tags.ts';
import type { InputSource } from './input-source.ts';

/**
 * The pause after the first look at the tags of a run that somebody else still seeds, and the
 * longest one, in milliseconds. AWS allows 30 such calls a second in an account, for all its runs.
 */
const PAUSE_MS = 2_000;
const PAUSE_CAP_MS = 30_000;

/** The shortest pause, in milliseconds, however often somebody asks for a look. */
const SHORTEST_PAUSE_MS = 1_000;

export interface RemoteSeederOptions {
  sqs: SQSClient;
  names: Names;
  runId: string;
  ledger: RunLedger;
  /** Has its inputs seeded, and gives the URL of its queue. @default it is there already */
  begin?: () => Promise<string>;
}

/**
 * The inputs of a run that somebody else seeded, or still seeds. The tags of its queue say how many
 * there are, and only they do: a notice that the run is sealed has them read at once, and is not
 * believed itself, so a forged or early one costs a call. Where no notice arrives, the next look
 * finds out.
 */
export class RemoteSeeder implements InputSource {
  readonly queueUrl: Promise<string>;
  readonly done: Promise<void>;
  readonly total: undefined;
  readonly isOurs = false;
  readonly #options: RemoteSeederOptions;
  readonly #stop = new AbortController();
  /** Aborted to end the pause between two looks. */
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

  look(): void {
    this.#pause.abort();
  }

  stop(): void {
    this.#stop.abort();
    this.#pause.abort();
  }

  async #find(): Promise<string> {
    const { sqs, names, runId, begin } = this.#options;
    if (begin) return begin();
    const url = await findSurely(sqs, names.run(runId));
    if (url !== undefined) return url;
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
        // The collector finds out whether the queue is gone.
        if (isTransient(error) || isMissingQueue(error)) return {};
        throw error;
      });
      // A run that has been ended meanwhile is sealed as it was then.
      if (signal.aborted || this.#take(tags)) return;
      await wait(SHORTEST_PAUSE_MS, signal);
      // Many collectors that began together must not look together.
      const jittered = pauseMs * (0.5 + Math.random() / 2);
      await wait(jittered - SHORTEST_PAUSE_MS, this.#pause.signal);
      pauseMs = this.#pause.signal.aborted ? PAUSE_MS : Math.min(pauseMs * 2, PAUSE_CAP_MS);
    }
  }

  /** Enters what the tags say in the ledger; true when no more is to be learned. */
  #take({ state, total, bound }: RunTags): boolean {
    const { ledger } = this.#options;
    const limit = total ?? bound;
    if (limit !== undefined) ledger.limit(limit);
    if (total === undefined) return false;
    ledger.expect(total);
    // Its seeder may have left when all inputs were with SQS, and before it said so.
    if (state !== 'sealed' && ledger.settled < total) return false;
    ledger.seal(total);
    return true;
  }
}
