import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import { isMissingQueue, mayPass, PATIENCE_MS } from '../faults.ts';
import { type Notice, readNotice } from '../messages/notice.ts';
import { type ResultBatch, readResults } from '../messages/result-message.ts';
import { wait } from '../send.ts';

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

/** Long polls at once where they bring much: one is handled while others are on their way. */
const PARALLEL_POLLS = 3;
/** What a poll brings at most: SQS gives out ten messages. */
const POLL_MESSAGES = 10;
/** Polls that bring little begin so far apart, in milliseconds: what comes meanwhile comes together. */
const PACE_MS = 25;
/** Fewer messages than a poll may bring, and fewer characters in them, are little. */
const LITTLE_LENGTH = 65_536;
/** SQS's longest wait. */
const POLL_SECONDS = 20;
/**
 * How long a consumer may take over what came until SQS offers it again, which does no harm but the
 * work. So long, too, whoever resumes a run waits for what a collector had in hand that was killed.
 */
const VISIBILITY_SECONDS = 60;

/** How long a queue may be missing that was there: SQS may say so for a moment. */
const MISSING_MS = 30_000;
/** The longest pause between two tries, in milliseconds. */
const PAUSE_CAP_MS = 5_000;

/** A poll that has ended, and what it brought. */
interface Polled {
  poll: Promise<Polled>;
  messages: Message[];
}

/**
 * Takes deliveries from a run's result queue. Polls go out only as their results are taken, so a
 * slow consumer leaves the rest in the queue. A delivery stays in the queue, hidden, until it is
 * acknowledged: what a dead collector had not handed on comes again.
 */
export class Collector {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #closing = new AbortController();
  readonly #deleting = new Set<Promise<unknown>>();
  /** When a poll was begun last, by `performance.now`. */
  #lastPoll = -PACE_MS;
  /** Whether `deliveries` ended because the queue is not there any more. */
  isQueueGone = false;

  constructor(sqs: SQSClient, queueUrl: string) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
  }

  /** Deliveries as they come, until `close`, what had come by then the last; or until the queue is gone. */
  async *deliveries(): AsyncGenerator<Delivery, void> {
    const polls = new Set<Promise<Polled>>();
    const { signal } = this.#closing;
    let parallel = 1;
    try {
      while (!signal.aborted) {
        while (polls.size < parallel) polls.add(this.#startPoll(parallel === 1));
        const { poll, messages } = await Promise.race(polls);
        polls.delete(poll);
        parallel = isLittle(messages) ? 1 : PARALLEL_POLLS;
        if (messages.length > 0) yield read(messages);
      }
      for (const poll of polls) {
        const { messages } = await poll;
        if (messages.length > 0) yield read(messages);
      }
    } catch (error) {
      if (!isMissingQueue(error)) throw error;
      this.isQueueGone = true;
    } finally {
      this.#closing.abort();
      await Promise.allSettled(polls);
    }
  }

  /** Deletes what a delivery came in. Its consumer has taken it; a failure only makes it come again. */
  acknowledge({ receiptHandles }: Received): void {
    const deleted = this.#sqs
      .send(
        new DeleteMessageBatchCommand({
          QueueUrl: this.#queueUrl,
          Entries: receiptHandles.map((ReceiptHandle, id) => ({ Id: String(id), ReceiptHandle })),
        }),
      )
      .catch(() => {})
      .finally(() => this.#deleting.delete(deleted));
    this.#deleting.add(deleted);
  }

  /** Ends the polls, and `deliveries` with them. */
  close(): void {
    this.#closing.abort();
  }

  /** Ends when SQS has answered every acknowledgement. */
  async settled(): Promise<void> {
    await Promise.all(this.#deleting);
  }

  #startPoll(isPaced: boolean): Promise<Polled> {
    const poll: Promise<Polled> = this.#poll(isPaced).then((messages) => ({ poll, messages }));
    // It may fail while nobody awaits it yet: that is met where it is awaited.
    poll.catch(() => {});
    return poll;
  }

  /** A poll that ends empty when the collector is closed, and tries again what did not get through. */
  async #poll(isPaced: boolean): Promise<Message[]> {
    const { signal } = this.#closing;
    const early = isPaced ? this.#lastPoll + PACE_MS - performance.now() : 0;
    if (early > 0) await wait(early, signal);
    if (signal.aborted) return [];
    this.#lastPoll = performance.now();
    let failingSince: number | undefined;
    let missingSince: number | undefined;
    for (let failures = 1; ; failures++) {
      try {
        return await receive(this.#sqs, this.#queueUrl, POLL_SECONDS, signal);
      } catch (error) {
        if (signal.aborted) return [];
        const now = Date.now();
        failingSince ??= now;
        missingSince = isMissingQueue(error) ? (missingSince ?? now) : undefined;
        const waits =
          missingSince === undefined
            ? mayPass(error) && now - failingSince < PATIENCE_MS
            : now - missingSince < MISSING_MS;
        if (!waits) throw error;
        await wait(Math.random() * Math.min(PAUSE_CAP_MS, 100 * 2 ** failures), signal);
      }
    }
  }
}

function isLittle(messages: readonly Message[]): boolean {
  const length = messages.reduce((sum, { Body = '' }) => sum + Body.length, 0);
  return messages.length < POLL_MESSAGES && length < LITTLE_LENGTH;
}

/** How long a run that ends early takes results that are there already, in milliseconds. */
const DRAIN_MS = 1_000;

/** What is in the queue at this moment. One that can't be read any more has nothing to add. */
export async function* drain(sqs: SQSClient, queueUrl: string): AsyncGenerator<Delivery, void> {
  for (const until = Date.now() + DRAIN_MS; Date.now() < until; ) {
    const messages = await receive(sqs, queueUrl, 0).catch(() => []);
    if (messages.length === 0) return;
    yield read(messages);
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

function read(messages: readonly Message[]): Delivery {
  const delivery: Delivery = { batches: [], notices: [], receiptHandles: [] };
  for (const { Body = '', ReceiptHandle = '' } of messages) {
    delivery.receiptHandles.push(ReceiptHandle);
    try {
      const notice = readNotice(Body);
      if (notice) delivery.notices.push(notice);
      else delivery.batches.push(readResults(Body));
    } catch (error) {
      // Only this run's workers send here; what is not theirs says nothing of any input.
      if (!(error instanceof FanfoldError)) throw error;
    }
  }
  return delivery;
}
