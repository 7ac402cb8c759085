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
import { Acknowledger } from './acknowledger.ts';
import { POLL_MESSAGES, PollScaler } from './poll-scaler.ts';

/** What is acknowledged: by the latest receipt handles of its messages. */
export interface Received {
  receiptHandles: string[];
}

/** What one receive brought, to be acknowledged when its consumer has taken all of it. */
export interface Delivery extends Received {
  /** A batch for each message of results. */
  batches: ResultBatch[];
  notices: Notice[];
}

/** SQS's longest wait. */
const POLL_SECONDS = 20;
/**
 * How long a consumer may take over what came until SQS offers it again, which does no harm but the
 * work. So long, too, whoever resumes a run waits for what a collector had in hand that was killed.
 */
const VISIBILITY_SECONDS = 60;

/** Why a run waits for no more results that goes on without this consumer. */
export const LEFT = 'left';

/**
 * How long polls that are under way may still be answered when a collector leaves, in milliseconds:
 * what answers a poll that is given up is hidden from the next collector for a minute. Where results
 * come all the time, this is long enough that no poll need be given up.
 */
const LEAVING_MS = 300;

/** How long a queue may be missing that was there: SQS may say so for a moment. */
const MISSING_MS = 30_000;
/** The longest pause between two tries, in milliseconds. */
const PAUSE_CAP_MS = 5_000;

/** What a poll returned. */
interface Answer {
  messages: Message[];
  /** From its request to its answer, in milliseconds. */
  tookMs: number;
  /** When the answer arrived, by `performance.now`. */
  at: number;
  wasPaced: boolean;
}

/**
 * Takes deliveries from a run's result queue. Polls begin only as their results are taken, as many
 * at once as `PollScaler` decides, so a slow consumer leaves the rest in the queue. A delivery stays
 * in the queue, hidden, until it is acknowledged: SQS redelivers what a dead collector had not
 * handed on.
 */
export class ResultReceiver {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #runId: string;
  readonly #closing = new AbortController();
  /** Aborted to give up polls that are under way. */
  readonly #givingUp = new AbortController();
  #leaving: ReturnType<typeof setTimeout> | undefined;
  /** Receipt handles of what has come and is not acknowledged. */
  readonly #held = new Set<string>();
  readonly #acknowledger: Acknowledger;
  readonly #scaler = new PollScaler();
  readonly #polls = new Set<Promise<void>>();
  /** Answers that the consumer has not taken. */
  readonly #answers: Answer[] = [];
  #failure: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  /** When a poll was begun last, by `performance.now`. */
  #lastPoll = Number.NEGATIVE_INFINITY;
  /** Whether `deliveries` ended because the queue is not there any more. */
  isQueueGone = false;

  constructor(sqs: SQSClient, queueUrl: string, runId: string) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.#acknowledger = new Acknowledger(sqs, queueUrl);
    this.#runId = runId;
  }

  /** Deliveries as they come, until `close`, what had come by then the last; or until the queue is gone. */
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

  /** Deletes the messages of a delivery, soon: call it when its consumer has taken the results. */
  acknowledge({ receiptHandles }: Received): void {
    for (const handle of receiptHandles) this.#held.delete(handle);
    this.#acknowledger.acknowledge(receiptHandles);
  }

  /**
   * Ends the polls, and `deliveries` with them.
   *
   * @param isLeaving whether another collector may come: polls under way may then bring something
   */
  close(isLeaving = false): void {
    this.#closing.abort();
    if (isLeaving) this.#leaving ??= setTimeout(() => this.#givingUp.abort(), LEAVING_MS);
    else this.#givingUp.abort();
  }

  /**
   * Resolves when SQS has answered every acknowledgement.
   *
   * @param isOver whether the run is; else what was not acknowledged is there for the next collector
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
          // What the other polls have received is given first.
          this.close(true);
        },
      )
      .finally(() => {
        this.#polls.delete(poll);
        this.#wake?.();
      });
    this.#polls.add(poll);
  }

  /** A poll that ends empty when the collector is closed, and repeats calls that fail for a while. */
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
      return signal.aborted ? [] : receive(this.#sqs, this.#queueUrl, POLL_SECONDS, givenUp);
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

/** SQS changes at most ten messages a call. */
const BATCH_ENTRIES = 10;

/** Makes messages visible that nobody has taken: they would be hidden for what is left of a minute. */
async function showAgain(sqs: SQSClient, QueueUrl: string, handles: string[]): Promise<void> {
  const calls: Promise<unknown>[] = [];
  while (handles.length > 0) {
    const Entries = handles.splice(0, BATCH_ENTRIES).map((ReceiptHandle, id) => ({
      ...{ Id: String(id), ReceiptHandle },
      VisibilityTimeout: 0,
    }));
    const call = sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    // It is only sooner: they come back by themselves.
    calls.push(call.catch(() => {}));
  }
  await Promise.all(calls);
}

/** How long a run that ends early takes results that are there already, in milliseconds. */
const DRAIN_MS = 1_000;

/** What is in the queue at this moment. One that can't be read any more has nothing to add. */
export async function* drain(
  sqs: SQSClient,
  queueUrl: string,
  runId: string,
): AsyncGenerator<Delivery, void> {
  for (const until = performance.now() + DRAIN_MS; performance.now() < until; ) {
    const messages = await receive(sqs, queueUrl, 0).catch(() => []);
    if (messages.length === 0) return;
    yield read(messages, runId);
  }
}

async function receive(
  sqs: SQSClient,
  QueueUrl: string,
  WaitTimeSeconds: number,
  abortSignal?: AbortSignal,
): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: POLL_MESSAGES,
      WaitTimeSeconds,
      VisibilityTimeout: VISIBILITY_SECONDS,
    }),
    abortSignal ? { abortSignal } : {},
  );
  return Messages;
}

function read(messages: readonly Message[], runId: string): Delivery {
  const delivery: Delivery = { batches: [], notices: [], receiptHandles: [] };
  for (const { Body = '', ReceiptHandle = '' } of messages) {
    delivery.receiptHandles.push(ReceiptHandle);
    try {
      const notice = readNotice(Body, runId);
      if (notice) delivery.notices.push(notice);
      else delivery.batches.push(readResults(Body, runId));
    } catch (error) {
      // Anybody who may send to the queue can send anything. An unreadable message reports no input.
      if (!(error instanceof FanfoldError || error instanceof RangeError)) throw error;
    }
  }
  return delivery;
}
