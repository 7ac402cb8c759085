import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { FanfoldError, type FanfoldErrorCode, InputError } from '../errors.ts';
import { chunkItemsFor } from './chunk.ts';
import type { Account } from './ledger.ts';
import type { Names } from './names.ts';
import { type Inputs, type Page, pagesOf, textsOf, totalOf } from './pages.ts';
import type { SeedRefusal, SeedRequest, SeedResponse } from './seed.ts';

export interface SeedingOptions {
  lambda: LambdaClient;
  names: Names;
  runId: string;
  task: string;
  inputs: Inputs<unknown>;
  /** How many workers the chunks are cut for. */
  workers: number;
  /** How many inputs a worker runs at once, where that is known. */
  concurrencyOf?: (task: string) => number | undefined;
  account: Account;
  window: Window;
}

/** Pages on their way at once, once the first is through: it makes the run's queue. */
const PARALLEL_PAGES = 4;

/**
 * Sends a run's inputs to the seed function, page by page, as fast as their source gives them and
 * the window lets them in. `queueUrl` settles with the first page, `done` with the last.
 */
export class Seeding {
  /** The run's result queue; undefined when there are no inputs. */
  readonly queueUrl: Promise<string | undefined>;
  /** Ends when all inputs are seeded, or `stop` was called; fails as the source or a page does. */
  readonly done: Promise<void>;
  readonly #options: SeedingOptions;
  readonly #total: number | undefined;
  readonly #made = Promise.withResolvers<string | undefined>();
  readonly #sending = new Set<Promise<unknown>>();
  #sent = false;
  #stopped = false;
  #failure: unknown;
  #first = 0;

  constructor(options: SeedingOptions) {
    this.#options = options;
    this.#total = totalOf(options.inputs);
    this.queueUrl = this.#made.promise;
    this.done = this.#seed();
    this.done.then(() => this.#made.resolve(undefined), this.#made.reject);
    // Each is awaited by who needs it; neither may end the process where nobody does.
    this.done.catch(() => {});
    this.queueUrl.catch(() => {});
  }

  /** Inputs that the run will have in all, as far as that is known. */
  get known(): number {
    return Math.max(this.#first, this.#total ?? 0);
  }

  /** Seeds nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#options.window.open();
    // Where no page was sent yet, none will be, and the source may never give one.
    if (!this.#sent) this.#made.resolve(undefined);
  }

  async #seed(): Promise<void> {
    const { account, inputs, window } = this.#options;
    const pages = pagesOf(textsOf(inputs));
    try {
      for await (const page of pages) {
        if (page.texts.length > 0) {
          await window.room();
          if (this.#stopped) return;
          const sent = this.#send(page);
          if (!this.#sent) {
            this.#sent = true;
            this.#made.resolve((await sent).resultQueueUrl);
          }
          this.#first += page.texts.length;
          await this.#roomToSend(sent);
        }
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#stopped) return;
      }
      await Promise.all(this.#sending);
      if (this.#failure !== undefined) throw this.#failure;
      account.sealed = !this.#stopped;
    } finally {
      // Where the source is at rest it may never answer, and nobody waits for it.
      void pages.return().catch(() => {});
    }
  }

  async #roomToSend(sent: Promise<unknown>): Promise<void> {
    const settled = sent
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#sending.delete(settled));
    this.#sending.add(settled);
    if (this.#sending.size >= PARALLEL_PAGES) await Promise.race(this.#sending);
  }

  async #send(page: Page): Promise<SeedResponse> {
    const { lambda, names, runId, task, workers, account, window } = this.#options;
    const first = this.#first;
    const count = page.texts.length;
    // Results may be there before the seed has answered.
    account.inputs = first + count;
    window.seeded(count, page.length);
    const total = this.#total ?? (page.last ? first + count : undefined);
    // A slow source's few inputs are shared out; a fast one's many travel together.
    const about = total ?? (page.full ? first + count : count);
    const chunkItems = chunkItemsFor(about, workers, this.#options.concurrencyOf?.(task));
    const request: SeedRequest = {
      task,
      inputs: { lines: page.texts.join('\n') },
      runId,
      first,
      chunkItems,
      results: 'own',
      ...(total === undefined ? {} : { total }),
    };
    return invokeSeed(lambda, names.seed, request);
  }
}

/** Invokes the seed function and reads its answer; a refusal is thrown as what it was there. */
async function invokeSeed(
  lambda: LambdaClient,
  FunctionName: string,
  request: SeedRequest,
): Promise<SeedResponse> {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(request) }),
  );
  const text = Payload === undefined ? 'null' : Payload.transformToString();
  const answer = JSON.parse(text) as SeedResponse | SeedRefusal | { errorMessage?: string };
  if (FunctionError !== undefined || answer === null) {
    const why = (answer as { errorMessage?: string } | null)?.errorMessage ?? text;
    throw new FanfoldError('RunFailed', `The seed function ${FunctionName} failed: ${why}`);
  }
  if (!('error' in answer)) return answer as SeedResponse;
  const { code, message, index, reason } = answer.error;
  if (index !== undefined && reason !== undefined) throw new InputError(index, reason);
  throw new FanfoldError(code as FanfoldErrorCode, message);
}

/** Inputs that may be out before the first results tell how large they are. */
const BLIND_INPUTS = 10_000;
/** The most inputs that an ordered run holds the results of. */
const ORDERED_INPUTS = 50_000;

export interface WindowOptions {
  /** Bytes of inputs and results that may be out at once. */
  bytes: number;
  /** Whether results are handed on in input order, so that a slow input holds up all later ones. */
  ordered: boolean;
}

/**
 * How far seeding may run ahead of the consumer, so that memory stays bounded, however long the
 * run and however slow its consumer: by the bytes that inputs and results take on average.
 */
export class Window {
  readonly #options: WindowOptions | undefined;
  #inputs = 0;
  #inputLength = 0;
  #taken = 0;
  #takenLength = 0;
  #opened = false;
  #waiting: (() => void) | undefined;

  /** @param options without them it is always open */
  constructor(options: WindowOptions | undefined) {
    this.#options = options;
    this.#opened = options === undefined;
  }

  /** Counts inputs in. @param length of their texts, in UTF-16 units */
  seeded(count: number, length: number): void {
    this.#inputs += count;
    this.#inputLength += length;
  }

  /** Counts results that the consumer has taken. */
  taken(count: number, length: number): void {
    this.#taken += count;
    this.#takenLength += length;
    if (!this.#isFull) this.#wake();
  }

  /** Opens it for good. */
  open(): void {
    this.#opened = true;
    this.#wake();
  }

  /** Ends when there is room for another page. */
  async room(): Promise<void> {
    while (this.#isFull) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  get #isFull(): boolean {
    if (this.#opened || this.#options === undefined) return false;
    const out = this.#inputs - this.#taken;
    if (this.#taken === 0) return out >= BLIND_INPUTS;
    const each = this.#inputLength / this.#inputs + this.#takenLength / this.#taken;
    return out * each >= this.#options.bytes || (this.#options.ordered && out >= ORDERED_INPUTS);
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}
