import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ResultDraft } from '../messages/result-message.ts';

/**
 * A message of results is sent when it has so many characters, which are at most three times as
 * many bytes: to count those would cost as much as to make the line. SQS bills by 64 KB, so larger
 * messages save nothing.
 */
const MESSAGE_LENGTH = 262_144;
/** Or when its oldest result has waited this many milliseconds, so that a slow chunk shows progress. */
const MESSAGE_MS = 500;

/** Or longer for each worker that shares the run: all of them send about 200 messages a second. */
const MESSAGE_MS_EACH = 5;

/** But never longer than this: a worker that dies loses what it has not sent. */
const LONGEST_MESSAGE_MS = 30_000;

/** How long the results at a chunk's end wait for those of the next chunk, in milliseconds. */
const LINGER_MS = 10;

/** Where a run's results go. */
export interface Destination {
  resultQueueUrl: string;
  runId: string;
  /** How many workers share the run, about. @default few */
  workers?: number | undefined;
}

/** A message of results that SQS has not accepted yet. */
export interface Unsent {
  resultQueueUrl: string;
  body: string;
}

/** The results of one chunk on their way to its run's queue. */
export class Report {
  /** Indexes whose results SQS has accepted. */
  readonly accepted: number[] = [];
  readonly #outbox: Outbox;
  readonly #onError: () => void;
  readonly #parts = new Set<Part>();
  readonly #sent = new Set<Promise<void>>();
  #error: unknown;

  /** @param onError called when results cannot be sent; `finish` throws that error */
  constructor(outbox: Outbox, onError: () => void) {
    this.#outbox = outbox;
    this.#onError = onError;
  }

  add(index: number, line: string, ok: boolean): void {
    const part = this.#outbox.add(this, index, line, ok);
    if (part === undefined) return;
    this.#parts.add(part);
    this.#sent.add(this.#follow(part));
  }

  /** Indexes of all results that it was given, as far as sending them has not failed. */
  get told(): number[] {
    return [...this.accepted, ...Array.from(this.#parts, ({ indexes }) => indexes).flat()];
  }

  /** Ends when SQS has accepted all results; throws when it has not. */
  async finish(): Promise<void> {
    await Promise.all(this.#sent);
    if (this.#error !== undefined) throw this.#error;
  }

  async #follow(part: Part): Promise<void> {
    try {
      await part.sent;
      for (const index of part.indexes) this.accepted.push(index);
    } catch (error) {
      this.#error ??= error;
      this.#onError();
    } finally {
      this.#parts.delete(part);
    }
  }
}

/** What a message has of one chunk. */
interface Part {
  readonly indexes: number[];
  readonly sent: Promise<void>;
}

/** Results of one run, of one chunk after the other, many a message. */
export class Outbox {
  readonly #sqs: SQSClient;
  readonly #to: Destination;
  readonly #worker: string;
  readonly #messageMs: number;
  readonly #sending = new Set<Unsent>();
  #message = new OutboxMessage();

  constructor(sqs: SQSClient, to: Destination, worker: string) {
    this.#sqs = sqs;
    this.#to = to;
    this.#worker = worker;
    const { workers = 1 } = to;
    this.#messageMs = Math.min(LONGEST_MESSAGE_MS, Math.max(MESSAGE_MS, workers * MESSAGE_MS_EACH));
  }

  /** Gives the chunk's part of a message when it is the first result of the chunk in it. */
  add(report: Report, index: number, line: string, ok: boolean): Part | undefined {
    if (this.#message.length + line.length > MESSAGE_LENGTH) this.send();
    const message = this.#message;
    message.begin(this.#messageMs, () => this.send());
    message.draft.add(index, line, ok);
    message.length += line.length + 2;
    if (message.last?.report === report) {
      message.last.part.indexes.push(index);
      return undefined;
    }
    const part = { indexes: [index], sent: message.sent.promise };
    message.last = { report, part };
    return part;
  }

  get isEmpty(): boolean {
    return this.#message.length === 0;
  }

  /** What SQS has not accepted yet, for who sends it in the place of a process that dies. */
  get unsent(): Unsent[] {
    const { resultQueueUrl, runId } = this.#to;
    if (this.isEmpty) return [...this.#sending];
    return [
      ...this.#sending,
      { resultQueueUrl, body: this.#message.draft.body(runId, this.#worker) },
    ];
  }

  /** Sends what there is, when more may have come to travel with it. */
  sendSoon(): void {
    this.#message.hasten(LINGER_MS, () => this.send());
  }

  /** Sends what there is. */
  send(): void {
    const { draft, sent, length } = this.#message;
    if (length === 0) return;
    this.#message.end();
    this.#message = new OutboxMessage();
    const { resultQueueUrl, runId } = this.#to;
    const unsent = { resultQueueUrl, body: draft.body(runId, this.#worker) };
    this.#sending.add(unsent);
    this.#sqs
      .send(new SendMessageCommand({ QueueUrl: resultQueueUrl, MessageBody: unsent.body }))
      .finally(() => this.#sending.delete(unsent))
      .then(() => sent.resolve(), sent.reject);
  }
}

/** A message while it is put together. */
class OutboxMessage {
  readonly draft = new ResultDraft();
  readonly sent = Promise.withResolvers<void>();
  length = 0;
  #begunAt = 0;
  #waitMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The chunk whose results came last, and its part. */
  last: { report: Report; part: Part } | undefined;

  /** Is to be sent so long after its first result. */
  begin(ms: number, send: () => void): void {
    if (this.#timer !== undefined) return;
    this.#begunAt = performance.now();
    this.#waitMs = ms;
    this.#timer = setTimeout(send, ms);
  }

  /** Is to be sent earlier. */
  hasten(ms: number, send: () => void): void {
    if (this.#timer === undefined || this.#waitMs <= ms) return;
    this.end();
    this.#waitMs = ms;
    const left = this.#begunAt + ms - performance.now();
    if (left <= 0) send();
    else this.#timer = setTimeout(send, left);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
