import {
  ChangeMessageVisibilityBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import { retry, wait } from '../../retry.ts';
import { isMissingQueue, isTransient, PATIENCE_MS } from '../call-errors.ts';
import { type Notice, readNotice } from '../messages/notice.ts';
import { type ResultBatch, readResults } from '../messages/result-message.ts';
import { readUsed, type Used } from '../messages/used.ts';
import { Acknowledger } from './acknowledger.ts';
import { POLL_MESSAGES, PollScaler } from './poll-scaler.ts';

/** Messages to acknowledge, by their latest receipt handles. */
export interface Received {
  receiptHandles: string[];
  /** Inputs that ended failed by these messages, since they kill workers. */
  condemned?: number[] | undefined;
}

/** The content of one receive. It is acknowledged once its consumer has taken all of it. */
export interface Delivery extends Received {
  /** One batch for each message of results. */
  batches: ResultBatch[];
  notices: Notice[];
  /** What processes have used for the run so far. */
  used: Used[];
}

/** Longest long poll that SQS allows. */
export const POLL_SECONDS = 20;
/**
 * Visibility timeout of received messages. A consumer that takes longer receives them again, which
 * costs work but does no harm. A collector that resumes a run waits as long for the messages that a
 * killed collector had in flight.
 */
export const VISIBILITY_SECONDS = 60;

/** Abort reason: the consumer leaves, and the run continues without it. */
export const LEFT = 'left';

/**
 * Time that outstanding polls have to return when a collector leaves, in milliseconds. The answer
 * to an aborted poll is invisible to the next collector for a minute. Where results arrive
 * steadily, no poll needs to be aborted.
 */
const LEAVING_MS = 300;

/** Longest time that SQS may report an existing queue as missing, in milliseconds. */
const MISSING_MS = 30_000;
/** Longest pause between two tries, in milliseconds. */
const PAUSE_CAP_MS = 5_000;

/** The result of a poll. */
interface Answer {
  messages: Message[];
  /** From its request to its answer, in milliseconds. */
  tookMs: number;
  /** Time of the answer, by `performance.now`. */
  at: number;
  wasPaced: boolean;
}

/**
 * Receives deliveries from a run's result queue. Polls begin only as their results are taken, as
 * many at once as `PollScaler` decides, so a slow consumer leaves the rest in the queue. A delivery
 * stays in the queue, invisible, until it is acknowledged: SQS redelivers the messages that a dead
 * collector had not handed on.
 */
export class ResultReceiver {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #runId: string;
  readonly #visibilitySeconds: number;
  readonly #closing = new AbortController();
  /** Aborted to abort the outstanding polls. */
  readonly #givingUp = new AbortController();
  #leaving: ReturnType<typeof setTimeout> | undefined;
  /** Receipt handles of received messages that are not acknowledged. */
  readonly #held = new Set<string>();
  readonly #acknowledger: Acknowledger;
  readonly #scaler = new PollScaler();
  readonly #polls = new Set<Promise<void>>();
  /** Answers that the consumer has not taken. */
  readonly #answers: Answer[] = [];
  #failure: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  /** Start of the latest poll, by `performance.now`. */
  #lastPoll = Number.NEGATIVE_INFINITY;
  /** Whether `deliveries` ended because the queue no longer exists. */
  isQueueGone = false;

  constructor(
    sqs: SQSClient,
    queueUrl: string,
    runId: string,
    visibilitySeconds = VISIBILITY_SECONDS,
  ) {
    this.#sqs = sqs;
    this.#visibilitySeconds = visibilitySeconds;
    this.#queueUrl = queueUrl;
    this.#acknowledger = new Acknowledger(sqs, queueUrl);
    this.#runId = runId;
  }

  /** Yields deliveries until the queue is gone or, after `close`, all received are yielded. */
  async *deliveries(): AsyncGenerator<Delivery, void> {
    const { signal } = this.#closing;
    try {
      for (;;) {
        while (!signal.aborted && this.#outstanding < this.#scaler.polls) this.#startPoll();
        if (this.#outstanding === 0 && signal.aborted) break;
        const messages = await this.#take();
        if (messages.length > 0) yield read(messages, this.#runId);
      }
      if (this.#failure) throw this.#failure.error;
    } catch (error) {
      if (!isMissingQueue(error)) throw error;
      this.isQueueGone = true;
    } finally {
      this.close();
      clearTimeout(this.#leaving);
      await Promise.all(this.#polls);
    }
  }

  /** Deletes the messages of a delivery soon. Must be called once its results are consumed. */
  acknowledge({ receiptHandles }: Received): void {
    for (const handle of receiptHandles) this.#held.delete(handle);
    this.#acknowledger.acknowledge(receiptHandles);
  }

  /**
   * Ends the polls, and `deliveries` with them.
   *
   * @param isLeaving whether another collector may follow: outstanding polls get time to return
   */
  close(isLeaving = false): void {
    this.#closing.abort();
    if (isLeaving) this.#leaving ??= setTimeout(() => this.#givingUp.abort(), LEAVING_MS);
    else this.#givingUp.abort();
  }

  /**
   * Resolves when SQS has answered every acknowledgement.
   *
   * @param isOver whether the run is over; if not, unacknowledged messages become visible again
   */
  async settled(isOver = true): Promise<void> {
    await this.#acknowledger.settled();
    if (!isOver) await showAgain(this.#sqs, this.#queueUrl, [...this.#held]);
  }

  /** Polls that are under way or whose answers the consumer has not taken. */
  get #outstanding(): number {
    return this.#polls.size + this.#answers.length;
  }

  /** The messages of the next poll that has ended. */
  async #take(): Promise<Message[]> {
    if (this.#answers.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const answer = this.#answers.shift();
    if (answer === undefined) return [];
    const { messages, tookMs, at, wasPaced } = answer;
    this.#scaler.answered({
      messages: messages.length,
      length: messages.reduce((sum, { Body = '' }) => sum + Body.length, 0),
      at,
      tookMs,
      heldMs: performance.now() - at,
      wasPaced,
    });
    return messages;
  }

  #startPoll(): void {
    const poll = this.#poll()
      .then(
        (answer) => {
          for (const { ReceiptHandle = '' } of answer.messages) this.#held.add(ReceiptHandle);
          this.#answers.push(answer);
        },
        (error: unknown) => {
          this.#failure ??= { error };
          // The messages that other polls received are yielded first.
          this.close(true);
        },
      )
      .finally(() => {
        this.#polls.delete(poll);
        this.#wake?.();
      });
    this.#polls.add(poll);
  }

  /** Retries failing calls for a while. Returns no messages once the collector is closed. */
  async #poll(): Promise<Answer> {
    const { signal } = this.#closing;
    const earlyMs = this.#lastPoll + this.#scaler.paceMs - performance.now();
    const wasPaced = earlyMs > 0;
    if (wasPaced) await wait(earlyMs, signal);
    this.#lastPoll = performance.now();
    let askedAt = this.#lastPoll;
    let missingSince: number | undefined;
    const poll = () => {
      askedAt = performance.now();
      if (signal.aborted) return [];
      return receive(this.#sqs, this.#queueUrl, POLL_SECONDS, this.#visibilitySeconds, givenUp);
    };
    const { signal: givenUp } = this.#givingUp;
    const messages = await retry(async () => poll(), {
      signal,
      capMs: PAUSE_CAP_MS,
      while: (error, _, failingMs) => {
        missingSince = isMissingQueue(error) ? (missingSince ?? failingMs) : undefined;
        return missingSince === undefined
          ? isTransient(error) && failingMs < PATIENCE_MS
          : failingMs - missingSince < MISSING_MS;
      },
    }).catch((error): Message[] => {
      if (signal.aborted) return [];
      throw error;
    });
    const at = performance.now();
    return { messages, tookMs: at - askedAt, at, wasPaced };
  }
}

/** SQS changes at most ten messages per call. */
const BATCH_ENTRIES = 10;

/** Makes messages visible at once that would stay invisible for the rest of the minute. */
async function showAgain(sqs: SQSClient, QueueUrl: string, handles: string[]): Promise<void> {
  const calls: Promise<unknown>[] = [];
  while (handles.length > 0) {
    const batch = handles.splice(0, BATCH_ENTRIES);
    const Entries = batch.map((ReceiptHandle, id) => ({
      Id: String(id),
      ReceiptHandle,
      VisibilityTimeout: 0,
    }));
    const call = sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    // On failure they become visible later, by themselves.
    calls.push(call.catch(() => {}));
  }
  await Promise.all(calls);
}

/** Longest drain of a run that ends early, in milliseconds. */
const DRAIN_MS = 1_000;

/** Yields the messages that are in the queue now. A queue that can't be read yields none. */
export async function* drain(
  sqs: SQSClient,
  queueUrl: string,
  runId: string,
): AsyncGenerator<Delivery, void> {
  for (const until = performance.now() + DRAIN_MS; performance.now() < until; ) {
    const messages = await receive(sqs, queueUrl, 0, VISIBILITY_SECONDS).catch(() => []);
    if (messages.length === 0) return;
    yield read(messages, runId);
  }
}

async function receive(
  sqs: SQSClient,
  QueueUrl: string,
  WaitTimeSeconds: number,
  VisibilityTimeout: number,
  abortSignal?: AbortSignal,
): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: POLL_MESSAGES,
      WaitTimeSeconds,
      VisibilityTimeout,
    }),
    abortSignal ? { abortSignal } : {},
  );
  return Messages;
}

function read(messages: readonly Message[], runId: string): Delivery {
  const delivery: Delivery = { batches: [], notices: [], used: [], receiptHandles: [] };
  for (const { Body = '', ReceiptHandle = '' } of messages) {
    delivery.receiptHandles.push(ReceiptHandle);
    try {
      const notice = readNotice(Body, runId);
      if (notice) {
        delivery.notices.push(notice);
        continue;
      }
      delivery.batches.push(readResults(Body, runId));
      const used = readUsed(Body);
      if (used) delivery.used.push(used);
    } catch (error) {
      // Any sender with permission can send anything. An unreadable message reports no input.
      if (!(error instanceof FanfoldError || error instanceof RangeError)) throw error;
    }
  }
  return delivery;
}
