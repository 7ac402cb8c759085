import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { count, FanfoldError, InputError } from '../../errors.ts';
import { FORMAT_EXTENSIONS, formatOf } from '../../inputs/extensions.ts';
import { FORMATS, openAs } from '../../inputs/formats.ts';
import type { OpenedInputs } from '../../inputs/opened.ts';
import { type InputsMark, markOfObject, markText } from '../messages/inputs-mark.ts';
import { MAX_RUN_INPUTS } from '../messages/result.ts';
import type { IndexRange } from '../messages/result-message.ts';
import { type Continuation, hasOwnQueue, type ObjectRequest } from '../messages/seed-request.ts';
import type { SeedResponse } from '../messages/seed-response.ts';
import { findQueue } from '../run/queues.ts';
import { breakRun, sealRun } from '../run/seal.ts';
import { openObject, placeOf } from './s3-object.ts';
import { expiryOf, planOf, type SeedOptions, seed } from './seed.ts';
import { beginStored, fewerInputs, type KeptInputs } from './stored-results.ts';

export interface ObjectSeedOptions extends SeedOptions {
  s3: S3Client;
  lambda: LambdaClient;
  /** Milliseconds until this invocation must have ended. */
  remainingMs: () => number;
  /** Called with each page that was queued, and the number of chunks of those before it. */
  onPage: (page: SeedResponse, chunksBefore: number) => Promise<void>;
}

/**
 * Duration of the first invocation, in milliseconds, for which the seed's invoker waits. The last
 * page, and the workers that are started for it, add to this.
 */
const FIRST_MS = 10_000;

/**
 * Time that an invocation reserves to send a page and hand over, in milliseconds: a throttled call
 * is retried for a minute and a half.
 */
const HANDOVER_MS = 120_000;

/** Most invocations for one object. Each reads for 14 minutes: this is about a day. */
const MAX_HOPS = 100;

/** Length at which a page is sent, in UTF-16 units. */
const PAGE_LENGTH = 2_000_000;
/** Number of inputs at which a page is sent. */
const PAGE_INPUTS = 20_000;

/**
 * Seeds the inputs of an object, page by page as it is read. One invocation follows another, and
 * each passes the position where it stopped to the next.
 *
 * The answer of the first invocation reports what can't be read. No caller waits for later
 * invocations, so these notify the run's collector.
 *
 * @throws FanfoldError when the request is refused
 */
export async function seedObject(
  request: ObjectRequest,
  options: ObjectSeedOptions,
): Promise<SeedResponse> {
  const seeding = new ObjectSeeding(request, options);
  try {
    return await seeding.run();
  } catch (error) {
    if (error instanceof FanfoldError) throw await seeding.broken(error);
    throw error;
  }
}

class ObjectSeeding {
  readonly #request: ObjectRequest;
  readonly #options: ObjectSeedOptions;
  readonly #runId: string;
  readonly #startedAt = performance.now();
  readonly #hops: number;
  #opened: OpenedInputs | undefined;
  #chunkItems: number | undefined;
  /** Index of the first input that is not queued yet. */
  #next: number;
  #chunks: number;
  #queueUrl: string | undefined;
  #output: string | undefined;
  /** What the run has of one that it continues. */
  #kept: KeptInputs | undefined;
  #mark: InputsMark | undefined;
  /** Set if the run was over before this request, which repeats an earlier one. */
  #over: SeedResponse['over'];

  constructor(request: ObjectRequest, options: ObjectSeedOptions) {
    const { from } = request.inputs;
    this.#request = request;
    this.#options = options;
    this.#runId = request.runId ?? options.runId ?? '';
    this.#hops = from?.hops ?? 0;
    this.#chunkItems = request.chunkItems;
    this.#next = request.first ?? 0;
    this.#chunks = from?.chunks ?? 0;
  }

  async run(): Promise<SeedResponse> {
    const { inputs, task } = this.#request;
    const { s3, tasks } = this.#options;
    tasks.require(task);
    const format = inputs.format ?? formatOf(placeOf(inputs.s3).Key) ?? noFormat(inputs.s3);
    const { source, etag, size } = await openObject(s3, inputs.s3, inputs.from, inputs.from?.etag);
    const opened = openAs(format, source);
    this.#opened = opened;
    this.#mark = markOfObject(etag);
    this.#kept = await this.#earlier();
    let page: string[] = [];
    let length = 0;
    try {
      for await (const batch of opened.batches()) {
        page.push(...batch);
        for (const text of batch) length += text.length;
        if (length < PAGE_LENGTH && page.length < PAGE_INPUTS) continue;
        const position = opened.position?.() ?? { byte: size, line: 0 };
        await this.#send(page, size / Math.max(1, position.byte), size);
        if (this.#over) return this.#answer();
        page = [];
        length = 0;
        if (position.byte < size && this.#isLate()) {
          await this.#handOver({ ...position, etag, hops: this.#hops + 1, chunks: this.#chunks });
          return { ...this.#answer(), continues: true };
        }
      }
      if (page.length > 0 || this.#queueUrl === undefined) await this.#send(page, 1, size);
    } finally {
      opened.close();
    }
    if (!this.#over && this.#kept && this.#next < this.#kept.inputs) {
      throw fewerInputs(this.#kept.inputs, this.#next);
    }
    if (!this.#over) await this.#seal();
    return this.#answer();
  }

  /** What the run has of one that it continues. Each invocation asks, as it needs all of it. */
  async #earlier(): Promise<KeptInputs | undefined> {
    const { results, inputs } = this.#request;
    if (typeof results !== 'object' || results.continues === undefined) return undefined;
    const expiresAt = expiryOf(this.#request, this.#runId);
    const begun = await beginStored(
      this.#request,
      { runId: this.#runId, expiresAt, mark: this.#mark },
      this.#options,
    );
    const { mark } = begun?.kept ?? {};
    if (mark && markText(mark) !== (this.#mark && markText(this.#mark))) {
      throw new FanfoldError(
        'BadInput',
        `${inputs.s3} does not hold the inputs of the run that is to be continued: ${'etag' in mark ? 'the object has changed, or is another one' : 'its caller read them elsewhere'}. Continue it with the same inputs, or start a run over these.`,
      );
    }
    return begun?.kept;
  }

  /** The error to report for inputs that can't be read. Later invocations notify the collector. */
  async broken(error: FanfoldError): Promise<FanfoldError> {
    const { sqs, names } = this.#options;
    const { results } = this.#request;
    const located = this.#located(error);
    if (this.#hops === 0) {
      if (this.#next === 0) return located;
      // Queued inputs can't be taken back, and may be an earlier try's, with a collector.
      const queued = `Seeded before it: ${count(this.#next, 'input')}.`;
      return new FanfoldError(located.code, `${located.message} ${queued}`, { cause: error });
    }
    const url = hasOwnQueue(results) ? await findQueue(sqs, names.run(this.#runId)) : undefined;
    if (url === undefined) return located;
    await breakRun(sqs, url, { runId: this.#runId, message: located.message });
    return located;
  }

  async #send(texts: string[], ofAll: number, size: number): Promise<void> {
    const { task, runId, results, expiresAt, ...rest } = this.#request;
    const { concurrency, rate, hedge, pauseWhenFailing, priority, maxFailures } = rest;
    const { maxCost, pauseAtCost } = rest;
    const { tasks, onPage } = this.#options;
    const about = Math.ceil(texts.length * ofAll);
    const { left, indexes } = this.#left(texts);
    if (left.length === 0 && texts.length > 0 && this.#queueUrl !== undefined) {
      this.#next += texts.length;
      return;
    }
    const { chunkItemsOf } = planOf(tasks.require(task), this.#request, this.#options);
    const chunkItems = this.#chunkItems ?? chunkItemsOf(about);
    this.#chunkItems = chunkItems;
    const page = await seed(
      {
        task,
        inputs: { lines: left.join('\n') },
        indexes,
        runId,
        results,
        expiresAt,
        first: this.#next,
        continues: this.#next > 0,
        more: true,
        chunkItems,
        ...{ concurrency, rate, hedge, pauseWhenFailing, priority, maxFailures },
        ...{ maxCost, pauseAtCost },
      },
      // Each input takes at least one byte of its object.
      {
        ...this.#options,
        bound: Math.min(this.#next + size, MAX_RUN_INPUTS),
        mark: this.#mark,
      },
    );
    this.#over = page.over;
    this.#next = page.over?.inputs ?? this.#next + texts.length;
    this.#queueUrl = page.resultQueueUrl;
    this.#output ??= page.output;
    const chunksBefore = this.#chunks;
    this.#chunks += page.chunks;
    await onPage(page, chunksBefore);
  }

  /** The next inputs without those whose results stay, and their indexes. */
  #left(texts: string[]): { left: string[]; indexes?: IndexRange[] } {
    const { settled } = this.#kept ?? {};
    if (settled === undefined) return { left: texts };
    const indexes: IndexRange[] = [];
    const left = texts.filter((_, at) => {
      const index = this.#next + at;
      if (settled.has(index)) return false;
      indexes.push([index, index]);
      return true;
    });
    return { left, indexes };
  }

  #isLate(): boolean {
    const first = this.#hops === 0 && performance.now() - this.#startedAt >= FIRST_MS;
    return first || this.#options.remainingMs() < HANDOVER_MS;
  }

  async #handOver(from: Continuation): Promise<void> {
    const { lambda, names } = this.#options;
    const { s3, format } = this.#request.inputs;
    if (from.hops > MAX_HOPS) {
      throw new FanfoldError(
        'BadInput',
        `${s3} needs more than ${MAX_HOPS} invocations of the seed function: split it into several objects.`,
      );
    }
    const request: ObjectRequest = {
      ...this.#request,
      runId: this.#runId,
      first: this.#next,
      chunkItems: this.#chunkItems ?? 1,
      inputs: { s3, format, from },
    };
    await lambda.send(
      new InvokeCommand({
        FunctionName: names.seed,
        InvocationType: 'Event',
        Payload: JSON.stringify(request),
      }),
    );
  }

  async #seal(): Promise<void> {
    const { sqs } = this.#options;
    const url = this.#queueUrl;
    if (!hasOwnQueue(this.#request.results) || url === undefined) return;
    await sealRun(sqs, url, { runId: this.#runId, total: this.#next });
  }

  #answer(): SeedResponse {
    return {
      runId: this.#runId,
      task: this.#request.task,
      first: 0,
      count: this.#next,
      chunks: this.#chunks,
      resultQueueUrl: this.#queueUrl ?? '',
      ...(this.#output === undefined ? {} : { output: this.#output }),
      ...(this.#over && { over: this.#over }),
    };
  }

  /**
   * Adds the line to an input's error. The seed's invoker may lack permission to read the object,
   * so no message quotes from it, as those of `JSON.parse` do.
   */
  #located(error: FanfoldError): FanfoldError {
    if (!(error instanceof InputError)) return error;
    const isUnparsed = error.cause instanceof SyntaxError;
    const reason = isUnparsed ? 'is not JSON: expected one value per line' : error.reason;
    const { first = 0, inputs } = this.#request;
    const line = this.#opened?.locate(error.index - first) ?? `${inputs.s3}, input ${error.index}`;
    return new FanfoldError('BadInput', `${line}: the input ${reason}`, {
      cause: isUnparsed ? undefined : error,
    });
  }
}

function noFormat(url: string): never {
  throw new FanfoldError(
    'BadInput',
    `${url}: its extension does not name a known format. Known extensions: ${FORMAT_EXTENSIONS.join(', ')}. Or set \`format\` to one of ${FORMATS.join(', ')}.`,
  );
}
