import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { ResultDraft } from '../messages/result-message.ts';
import { TimingDraft } from '../messages/timing.ts';
import { fieldsOf } from '../messages/used.ts';
import type { Meter } from '../run/meter.ts';
import { sendUsed } from '../run/send-used.ts';

/**
 * Length at which a message of results is sent, in characters, each of which takes at most three
 * bytes. Counting the bytes would cost as much as making the line. SQS bills by 64 KB, so larger
 * messages save nothing.
 */
const MESSAGE_LENGTH = 262_144;
/** Longest wait of a message's oldest result, in milliseconds: a slow chunk shows progress. */
const MESSAGE_MS = 500;

/** The wait for each worker of the run, if that is longer: all send about 200 messages a second. */
const MESSAGE_MS_EACH = 5;

/** Limit of that wait: a worker that dies loses the results that it has not sent. */
const LONGEST_MESSAGE_MS = 30_000;

/** Wait of the results at a chunk's end for those of the next chunk, in milliseconds. */
const LINGER_MS = 10;

/** Longest time without a report of what a worker uses, in milliseconds. */
export const USED_MS = 30_000;

/** The destination of a run's results. */
export interface Destination {
  resultQueueUrl: string;
  runId: string;
  /** Approximate number of workers that share the run. @default 1 */
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

  /** @param ms duration of the attempt, in milliseconds */
  add(index: number, line: string, ok: boolean, ms: number): void {
    const part = this.#outbox.add(this, index, line, ok, ms);
    if (part === undefined) return;
    this.#parts.add(part);
    this.#sent.add(this.#follow(part));
  }

  /** Indexes of all results that were added, except those whose sending has failed. */
  get reported(): number[] {
    return [...this.accepted, ...Array.from(this.#parts, ({ indexes }) => indexes).flat()];
  }

  /** Resolves when SQS has accepted all results; rejects if it has not. */
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

/** The results of one chunk in a message. */
interface Part {
  readonly indexes: number[];
  readonly sent: Promise<void>;
}

/** Results of one run, chunk after chunk, many in a message. */
export class Outbox {
  readonly #sqs: SQSClient;
  readonly #to: Destination;
  readonly #worker: string;
  readonly #meter: Meter | undefined;
  readonly #messageMs: number;
  readonly #sending = new Set<Unsent>();
  #message = new OutboxMessage();
  /** Time of the last message, or of the outbox's making. */
  #sentAt = performance.now();

  constructor(sqs: SQSClient, to: Destination, worker: string, meter?: Meter) {
    this.#sqs = sqs;
    this.#to = to;
    this.#worker = worker;
    this.#meter = meter;
    const { workers = 1 } = to;
    this.#messageMs = Math.min(LONGEST_MESSAGE_MS, Math.max(MESSAGE_MS, workers * MESSAGE_MS_EACH));
  }

  /** Adds a result. Returns the chunk's part of a message if this is its first result there. */
  add(report: Report, index: number, line: string, ok: boolean, ms: number): Part | undefined {
    if (this.#message.length + line.length > MESSAGE_LENGTH) this.send();
    const message = this.#message;
    message.begin(this.#messageMs, () => this.send());
    message.draft.add(index, line, ok);
    message.timing.add(ms, ok);
    message.length += line.length + 2;
    if (message.last?.report === report) {
      message.last.part.indexes.push(index);
      return undefined;
    }
    const part = { indexes: [index], sent: message.sent.promise };
    message.last = { report, part };
    return part;
  }

  /** A chunk's rest is sent back, as its slice is over: its last result tells of it. */
  sliced(): void {
    if (!this.isEmpty) this.#message.timing.sliced();
  }

  get isEmpty(): boolean {
    return this.#message.length === 0;
  }

  /** Messages that SQS has not accepted yet. If this process dies, its supervisor sends them. */
  get unsent(): Unsent[] {
    if (this.isEmpty) return [...this.#sending];
    return [...this.#sending, this.#unsent(this.#message)];
  }

  /**
   * Reports what the worker has used, if nothing has done so for a while: an input may take long,
   * and a worker that is killed reports nothing more. The deployment's shared queue of results has
   * no reader for that.
   */
  reportUsed(): void {
    const { resultQueueUrl, runId } = this.#to;
    const used = this.#meter?.usedFor(runId);
    const isOwn = resultQueueUrl.endsWith(runId);
    if (!used || !isOwn || performance.now() - this.#sentAt < USED_MS) return;
    this.#sentAt = performance.now();
    void sendUsed(this.#sqs, resultQueueUrl, { runId, worker: this.#worker, used });
  }

  /** Sends the message soon, so that further results can join it. */
  sendSoon(): void {
    this.#message.sendWithin(LINGER_MS, () => this.send());
  }

  /** Sends the message now. */
  send(): void {
    const message = this.#message;
    if (message.length === 0) return;
    this.#sentAt = performance.now();
    message.end();
    this.#message = new OutboxMessage();
    const { sent } = message;
    const unsent = this.#unsent(message);
    this.#sending.add(unsent);
    const { resultQueueUrl: QueueUrl, body: MessageBody } = unsent;
    this.#sqs
      .send(new SendMessageCommand({ QueueUrl, MessageBody }))
      .finally(() => this.#sending.delete(unsent))
      .then(() => sent.resolve(), sent.reject);
  }

  #unsent({ draft, timing }: OutboxMessage): Unsent {
    const { resultQueueUrl, runId } = this.#to;
    const aheadMs = serviceNow(this.#sqs) - Date.now();
    const used = this.#meter?.usedFor(runId);
    const head = [timing.timing(aheadMs), used && fieldsOf(used)] as const;
    return { resultQueueUrl, body: draft.body(runId, this.#worker, ...head) };
  }
}

/** A worker's outboxes, one for each run and result queue: several runs may share a queue. */
export class Outboxes {
  readonly #sqs: SQSClient;
  readonly #worker: string;
  readonly #meter: Meter | undefined;
  readonly #open = new Map<string, Outbox>();

  constructor(sqs: SQSClient, worker: string, meter?: Meter) {
    this.#sqs = sqs;
    this.#worker = worker;
    this.#meter = meter;
  }

  to(destination: Destination): Outbox {
    const key = `${destination.runId} ${destination.resultQueueUrl}`;
    const outbox =
      this.#open.get(key) ?? new Outbox(this.#sqs, destination, this.#worker, this.#meter);
    this.#open.set(key, outbox);
    return outbox;
  }

  /** Sends all results now. */
  flush(): void {
    for (const outbox of this.#open.values()) outbox.send();
    this.#open.clear();
  }

  /** Sends them soon, so that further results can join them. */
  flushSoon(): void {
    for (const [key, outbox] of this.#open) {
      if (outbox.isEmpty) this.#open.delete(key);
      else outbox.sendSoon();
    }
  }
}

/** A message that is being put together. */
class OutboxMessage {
  readonly draft = new ResultDraft();
  readonly timing = new TimingDraft();
  readonly sent = Promise.withResolvers<void>();
  length = 0;
  #begunAt = 0;
  #waitMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The chunk whose result was added last, and its part. */
  last: { report: Report; part: Part } | undefined;

  /** Schedules the sending, counted from the first result. */
  begin(ms: number, send: () => void): void {
    if (this.#timer !== undefined) return;
    this.#begunAt = performance.now();
    this.#waitMs = ms;
    this.#timer = setTimeout(send, ms);
  }

  /** Moves the sending forward. */
  sendWithin(ms: number, send: () => void): void {
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
