import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { count, FanfoldError } from '../../errors.ts';
import { wait } from '../../retry.ts';
import { isMissingQueue } from '../call-errors.ts';
import { MAX_RUN_INPUTS, tooManyInputs } from '../messages/result.ts';
import type { IndexRange } from '../messages/result-message.ts';
import type { SeedRequest } from '../messages/seed-request.ts';
import type { SeedResponse } from '../messages/seed-response.ts';
import { type Used, usedOf } from '../messages/used.ts';
import type { Names } from '../names.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { Payloads } from '../run/payloads.ts';
import { findExpectedQueue } from '../run/queues.ts';
import { writeTags } from '../run/tags.ts';
import type { InputSource } from './input-source.ts';
import type { InputsHash } from './inputs-hash.ts';
import { invokeSeedWithRetries } from './invoke-seed.ts';
import { lengthIn, withPayloads } from './large-inputs.ts';
import { type Inputs, type Page, pagesOf, textsOf, totalOf } from './pages.ts';
import type { RunBounds } from './seed-s3-run.ts';
import { setRun } from './set-run.ts';
import type { Window } from './window.ts';

export interface SeederOptions {
  sqs: SQSClient;
  lambda: LambdaClient;
  names: Names;
  runId: string;
  task: string;
  inputs: Inputs<unknown>;
  /** Deadline of the run, in milliseconds since 1970. */
  expiresAt: number;
  bounds: RunBounds;
  ledger: RunLedger;
  window: Window;
  /** Takes inputs that no message can hold. @default they are refused */
  payloads?: Payloads | undefined;
  /** Resumes a run whose queue exists, and whose inputs were seeded up to this index. */
  resumeAt?: number | undefined;
  /** Called with the answer to the first page. */
  onBegun?: (page: SeedResponse) => void;
  /** Hashes the inputs, and compares them with those of an earlier run. @default none does */
  hash?: InputsHash | undefined;
  /** Called with what the seed has used for the run so far. */
  onUsed?: ((used: Used) => void) | undefined;
}

/** Longest wait for a first page before the run's queue is made without it, in milliseconds. */
const FIRST_PAGE_MS = 60_000;
const EMPTY_PAGE: Page = { texts: [], length: 0, full: false, last: false };

/** Pages sent in parallel once the first has succeeded, which makes the run's queue. */
const PARALLEL_PAGES = 4;

/**
 * Sends a run's inputs to the seed function, page by page, as fast as their source yields them and
 * the window admits them. `queueUrl` settles with the first page, `done` with the last.
 */
export class Seeder implements InputSource {
  readonly queueUrl: Promise<string | undefined>;
  readonly done: Promise<void>;
  readonly isOurs = true;
  readonly #options: SeederOptions;
  readonly #total: number | undefined;
  readonly #made = Promise.withResolvers<string | undefined>();
  /** Ends the wait for a page when no further page is needed. */
  #onHalt: (() => void) | undefined;
  readonly #sending = new Set<Promise<unknown>>();
  /** First indexes of the pages that are being sent. */
  readonly #unanswered = new Set<number>();
  /** Whether the run's queue exists or is being made. */
  #hasQueue = false;
  #stopped = false;
  #failure: { error: unknown } | undefined;
  #first = 0;
  /** The end of the last page that was sent. */
  #sent = 0;
  /** Number of inputs in the pages that were sent. */
  #inPages = 0;
  /** Number of inputs that had a result before, or were seeded. */
  readonly #before: number;

  /** @throws FanfoldError `BadInput` when there are more inputs than a run can have */
  constructor(options: SeederOptions) {
    this.#options = options;
    this.#total = totalOf(options.inputs);
    this.#before = Math.max(options.resumeAt ?? 0, options.ledger.settled);
    if ((this.#total ?? 0) > MAX_RUN_INPUTS) throw tooManyInputs();
    this.queueUrl = this.#made.promise;
    this.done = options.resumeAt === undefined ? this.#seed() : this.#resume();
    this.done.then(() => this.#made.resolve(undefined), this.#made.reject);
    // Callers await each as they need it; an unawaited rejection must not end the process.
    this.done.catch(() => {});
    this.queueUrl.catch(() => {});
  }

  get total(): number | undefined {
    return this.#total;
  }

  get known(): number {
    return Math.max(this.#first, this.#total ?? 0);
  }

  get seeded(): number {
    return Math.min(this.#first, ...this.#unanswered);
  }

  get unsent(): number {
    return this.#options.resumeAt === undefined ? this.#sent : Number.POSITIVE_INFINITY;
  }

  /** Does nothing: this seeder knows when all inputs are seeded. */
  checkSoon(): void {}

  stop(): void {
    this.#stopped = true;
    this.#options.window.open();
    // If no page was sent yet, none will be, and the source may never yield one.
    const hasQueue = this.#hasQueue || this.#options.resumeAt !== undefined;
    if (!hasQueue) this.#made.resolve(undefined);
    this.#onHalt?.();
  }

  async #resume(): Promise<void> {
    const { sqs, names, runId } = this.#options;
    const queue = names.run(runId);
    const url = await findExpectedQueue(sqs, queue);
    if (url === undefined) {
      throw new FanfoldError(
        'RunFailed',
        `Run ${runId} is over: its queue ${queue} no longer exists.`,
      );
    }
    await this.#setAgain(url);
    this.#hasQueue = true;
    this.#made.resolve(url);
    if (!this.#stopped) await this.#seed();
  }

  /** Gives a run that is resumed the bounds that were given now. It keeps its others. */
  async #setAgain(queueUrl: string): Promise<void> {
    const { sqs, runId, bounds } = this.#options;
    const { concurrency, rate, pauseWhenFailing, maxCost, pauseAtCost } = bounds;
    try {
      if (pauseWhenFailing !== undefined) await writeTags(sqs, queueUrl, { pauseWhenFailing });
      const changes = { concurrency, rate, maxCost };
      if (Object.values(changes).every((change) => change === undefined)) return;
      await setRun(this.#options, runId, changes, { keepsOutage: true, pauseAtCost });
    } catch (error) {
      // If it is over, only its last results have to be collected.
      const isOver = error instanceof FanfoldError && /^(BadOption|UnknownRun)$/.test(error.code);
      if (!isOver && !isMissingQueue(error)) throw error;
    }
  }

  async #seed(): Promise<void> {
    const pages = pagesOf(textsOf(this.#options.inputs));
    try {
      for (;;) {
        const step = await this.#next(pages);
        if (step === 'halted' || step.done) break;
        await this.#take(step.value);
      }
      await Promise.all(this.#sending);
      if (this.#failure) throw this.#failure.error;
      if (!this.#stopped) this.#seal();
    } finally {
      // Not awaited: an idle source may never answer.
      void pages.return().catch(() => {});
    }
  }

  /** The next page, or `halted` if no further page is needed: the source may be idle. */
  async #next(pages: AsyncGenerator<Page, void>): Promise<IteratorResult<Page, void> | 'halted'> {
    const next = pages.next();
    // After `halted`, its rejection must not be unhandled.
    next.catch(() => {});
    if (!this.#hasQueue && (await this.#isLate(next))) {
      // A run's queue must be made soon after its id.
      await this.#firstSent(this.#send({ texts: [], indexes: [] }, EMPTY_PAGE));
    }
    if (this.#stopped || this.#failure) return 'halted';
    // No race with a long-lived promise: it would retain every page that wins.
    return new Promise((resolve, reject) => {
      this.#onHalt = () => resolve('halted');
      next.then(resolve, reject);
    });
  }

  /** Whether the first page takes long; false if it is not needed any more. */
  async #isLate(first: Promise<unknown>): Promise<boolean> {
    const waited = new AbortController();
    this.#onHalt = () => waited.abort();
    const late = wait(FIRST_PAGE_MS, waited.signal).then(() => !waited.signal.aborted);
    const came = first.then(
      () => false,
      () => false,
    );
    return Promise.race([came, late]).finally(() => waited.abort());
  }

  async #take(page: Page): Promise<void> {
    const { ledger, window } = this.#options;
    if (this.#first + page.texts.length > MAX_RUN_INPUTS) throw tooManyInputs();
    this.#options.hash?.take(page.texts);
    const part = this.#unseeded(page);
    // A stored run without inputs has a manifest too.
    const isAlone = page.last && !this.#hasQueue && hasStore(this.#options);
    if (part.texts.length > 0 || isAlone) {
      await window.room();
      if (this.#stopped || this.#failure) return;
      const sent = this.#send(part, page);
      if (!this.#hasQueue) await this.#firstSent(sent);
      this.#first += page.texts.length;
      await this.#roomToSend(sent);
    } else {
      this.#first += page.texts.length;
      ledger.expect(this.#first);
    }
  }

  async #firstSent(sent: Promise<SeedResponse>): Promise<void> {
    this.#hasQueue = true;
    const page = await sent;
    this.#options.onBegun?.(page);
    this.#made.resolve(page.resultQueueUrl);
  }

  #seal(): void {
    const { ledger } = this.#options;
    if (ledger.inputs > this.#first) {
      throw new FanfoldError(
        'BadInput',
        `The run has earlier results of ${count(ledger.inputs, 'input')}, but got only ${count(this.#first, 'input')}: resume it with the same inputs.`,
      );
    }
    ledger.seal(this.#first);
  }

  /** Whether some inputs may be seeded already or have a result: `earlier` may gain results. */
  get #skips(): boolean {
    return this.#options.ledger.settled > 0 || this.#options.resumeAt !== undefined;
  }

  /** The part of a page that has yet to be seeded. */
  #unseeded({ texts }: Page): Part {
    const first = this.#first;
    const ranges: IndexRange[] = [];
    if (texts.length === 0) return { texts, indexes: [] };
    if (!this.#skips) return { texts, indexes: [[first, first + texts.length - 1]] };
    const { ledger, resumeAt = 0 } = this.#options;
    const left = texts.filter((_, at) => {
      const index = first + at;
      if (index < resumeAt || ledger.has(index)) return false;
      const last = ranges.at(-1);
      if (last?.[1] === index - 1) ranges[ranges.length - 1] = [last[0], index];
      else ranges.push([index, index]);
      return true;
    });
    return { texts: left, indexes: ranges };
  }

  async #roomToSend(sent: Promise<unknown>): Promise<void> {
    const settled = sent
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#onHalt?.();
        this.#options.window.open();
      })
      .finally(() => this.#sending.delete(settled));
    this.#sending.add(settled);
    if (this.#sending.size >= PARALLEL_PAGES) await Promise.race(this.#sending);
  }

  async #send(part: Part, page: Page): Promise<SeedResponse> {
    const { texts, indexes } = part;
    const { sqs, lambda, names, runId, task, ledger, window, expiresAt, bounds } = this.#options;
    const from = this.#first;
    const end = from + page.texts.length;
    const first = this.#inPages;
    this.#inPages += texts.length;
    const continues = this.#hasQueue;
    // Results may arrive before the seed answers.
    ledger.expect(end);
    this.#sent = end;
    window.seeded(texts.length, lengthIn(page));
    const total = this.#total ?? (page.last ? end : undefined);
    // The few inputs of a slow source are spread out; the many of a fast one share chunks.
    const seen = page.full ? this.#inPages : undefined;
    const about = total === undefined ? seen : Math.max(0, total - this.#before);
    this.#unanswered.add(from);
    const lines = await withPayloads(part, this.#options);
    const request: SeedRequest = {
      ...{ task, runId, first, indexes, continues, expiresAt },
      inputs: { lines },
      results: 'own',
      ...{ ...bounds, about, total },
      more: page.last ? undefined : true,
    };
    const isStopped = () => this.#stopped || serviceNow(sqs) > expiresAt;
    const answer = await invokeSeedWithRetries(lambda, names, request, isStopped);
    this.#unanswered.delete(from);
    if (answer.used) this.#options.onUsed?.(usedOf(answer.used));
    return answer;
  }
}

/** The inputs of a page that are seeded, and their indexes. */
interface Part {
  texts: string[];
  indexes: IndexRange[];
}

function hasStore({ bounds: { results } }: SeederOptions): boolean {
  return results !== undefined && results !== 'own';
}
