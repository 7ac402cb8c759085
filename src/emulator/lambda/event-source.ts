import { randomUUID } from 'node:crypto';
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import type { Invoked, LambdaFunction } from './function.ts';
import { EVENT_SOURCE_PER_MINUTE, EVENT_SOURCE_START, MAX_BATCH_SIZE } from './limits.ts';

export interface EventSourceOptions {
  sqs: SQSClient;
  queueUrl: string;
  /** Most messages per invocation: 1 to 10. @default 10 */
  batchSize?: number;
  /** Number of pollers while there is no work. @default 1 */
  minConcurrency?: number;
  /** Most concurrent invocations. @default 1000 */
  maxConcurrency?: number;
  /**
   * Whether concurrency grows as slowly as Lambda's: 5 at first, and 300 more per minute; or a share
   * of that, which is 1 or less. Otherwise it grows as fast as the work requires.
   * @default false
   */
  ramp?: boolean | number;
  /** Whether the function reports which of its messages failed. @default false, as on Lambda */
  reportBatchItemFailures?: boolean;
}

const WAIT_SECONDS = 20;
/** Longest pause after failed calls, in milliseconds. */
const PAUSE_CAP_MS = 10_000;
/** Interval between checks of a ramp, in milliseconds. */
const RAMP_STEP_MS = 1_000;

/**
 * An SQS event source. Each of its pollers receives a batch, invokes the function with it, and
 * deletes the messages that did not fail. A poller with work starts another one, up to
 * `maxConcurrency`; a poller without work ends, down to `minConcurrency`. Failed messages are left
 * alone: SQS redelivers them when their visibility timeout ends, as on Lambda.
 */
export class EventSource {
  readonly #target: () => LambdaFunction;
  readonly #region: string;
  readonly #options: EventSourceOptions;
  readonly #queueArn: string;
  readonly #closing = new AbortController();
  readonly #pollers = new Set<Promise<void>>();
  /** When there were last fewer pollers than a ramp starts with. */
  #rampFrom = performance.now();
  #rampTimer: ReturnType<typeof setTimeout> | undefined;
  #busy = 0;
  /** Concurrent invocations allowed beyond `maxConcurrency`. */
  #more = 0;

  /** @param target returns the function in its current version */
  constructor(target: () => LambdaFunction, region: string, options: EventSourceOptions) {
    const { batchSize = MAX_BATCH_SIZE, minConcurrency = 1, maxConcurrency = 1 } = options;
    if (!(batchSize >= 1 && batchSize <= MAX_BATCH_SIZE)) {
      throw new FanfoldError(
        'BadOption',
        `\`batchSize\` must be a whole number from 1 to ${MAX_BATCH_SIZE}; got ${batchSize}.`,
      );
    }
    if (!(minConcurrency >= 1 && maxConcurrency >= 1)) {
      throw new FanfoldError(
        'BadOption',
        '`minConcurrency` and `maxConcurrency` must be 1 or more.',
      );
    }
    this.#target = target;
    this.#region = region;
    this.#options = options;
    const [account = '', name = ''] = options.queueUrl.split('/').slice(-2);
    this.#queueArn = `arn:aws:sqs:${region}:${account}:${name}`;
    this.#grow();
  }

  /** Number of running invocations. */
  get busy(): number {
    return this.#busy;
  }

  /** Allows one more concurrent invocation until `until` settles, like an update of the mapping. */
  allowOneMore(until: Promise<unknown>): void {
    this.#more++;
    this.#grow();
    const end = () => {
      this.#more--;
    };
    until.then(end, end);
  }

  get #limit(): number {
    return (this.#options.maxConcurrency ?? 1000) + this.#more;
  }

  /** Receives no more messages; resolves once the running invocations have ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#rampTimer);
    await Promise.all(this.#pollers);
  }

  /** Keeps one poller more than there are busy ones, within the limits. */
  #grow(): void {
    if (this.#closing.signal.aborted) return;
    const { minConcurrency = 1, ramp = false } = this.#options;
    const wanted = Math.min(this.#limit, Math.max(minConcurrency, this.#busy + 1));
    const limit = ramp ? this.#rampLimit(Number(ramp)) : wanted;
    while (this.#pollers.size < Math.min(wanted, limit)) {
      const poller = this.#poll().finally(() => {
        this.#pollers.delete(poller);
        this.#grow();
      });
      this.#pollers.add(poller);
    }
    // Nothing else may call this until then: all pollers may be busy for long.
    if (wanted > limit) {
      this.#rampTimer ??= setTimeout(() => {
        this.#rampTimer = undefined;
        this.#grow();
      }, RAMP_STEP_MS);
    }
  }

  #rampLimit(share: number): number {
    const start = Math.max(1, Math.round(EVENT_SOURCE_START * share));
    if (this.#pollers.size < start) this.#rampFrom = performance.now();
    const minutes = (performance.now() - this.#rampFrom) / 60_000;
    return start + Math.floor(minutes * EVENT_SOURCE_PER_MINUTE * share);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted && this.#pollers.size <= this.#limit) {
      let messages: Message[];
      try {
        messages = await this.#receive();
        failures = 0;
      } catch {
        if (signal.aborted) return;
        failures++;
        await pause(Math.random() * Math.min(PAUSE_CAP_MS, 100 * 2 ** failures), signal);
        continue;
      }
      if (messages.length > 0) await this.#handle(messages);
      // An idle poller ends if there are others: a busy one starts it again.
      else if (this.#pollers.size > Math.max(this.#options.minConcurrency ?? 1, this.#busy + 1))
        return;
    }
  }

  async #receive(): Promise<Message[]> {
    const { sqs, queueUrl, batchSize = MAX_BATCH_SIZE } = this.#options;
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: batchSize,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: this.#closing.signal },
    );
    return Messages;
  }

  async #handle(messages: readonly Message[]): Promise<void> {
    this.#busy++;
    this.#grow();
    try {
      const event = { Records: messages.map((message) => this.#record(message)) };
      const invoked = await this.#invoke(event);
      const done = invoked && succeeded(invoked, messages, this.#options.reportBatchItemFailures);
      if (done && done.length > 0) await this.#delete(done);
    } catch {
      // The delete failed: SQS redelivers the messages, as on Lambda.
    } finally {
      this.#busy--;
    }
  }

  /** Returns undefined if the source was closed while the function was throttled. */
  async #invoke(event: unknown): Promise<Invoked | undefined> {
    const { signal } = this.#closing;
    for (let tries = 1; this.#target().throttled; tries++) {
      if (signal.aborted) return undefined;
      await pause(Math.min(PAUSE_CAP_MS, 100 * 2 ** tries), signal);
    }
    return this.#target().invoke(event, randomUUID());
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    const { sqs, queueUrl } = this.#options;
    await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: messages.map(({ ReceiptHandle }, id) => ({ Id: String(id), ReceiptHandle })),
      }),
    );
  }

  /** A message in the format of Lambda's events, whose names begin in lower case. */
  #record(message: Message): Record<string, unknown> {
    const attributes = Object.entries(message.MessageAttributes ?? {});
    return {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes ?? {},
      messageAttributes: Object.fromEntries(
        attributes.map(([name, { DataType, StringValue, BinaryValue }]) => [
          name,
          {
            dataType: DataType,
            ...(StringValue === undefined ? {} : { stringValue: StringValue }),
            ...(BinaryValue === undefined
              ? {}
              : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
            stringListValues: [],
            binaryListValues: [],
          },
        ]),
      ),
      md5OfBody: message.MD5OfBody,
      ...(message.MD5OfMessageAttributes
        ? { md5OfMessageAttributes: message.MD5OfMessageAttributes }
        : {}),
      eventSource: 'aws:sqs',
      eventSourceARN: this.#queueArn,
      awsRegion: this.#region,
    };
  }
}

/**
 * The messages to delete. With partial batch responses, an empty or missing list means that all
 * succeeded. A value that is not a list, or an item that names no message of the batch, means that
 * all failed.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
function succeeded(
  { payload, failed }: Invoked,
  messages: readonly Message[],
  partial = false,
): readonly Message[] {
  if (failed) return [];
  if (!partial) return messages;
  const answer = JSON.parse(payload) as { batchItemFailures?: unknown } | null;
  const listed = answer?.batchItemFailures ?? [];
  if (!Array.isArray(listed)) return [];
  const ids = new Set(messages.map(({ MessageId }) => MessageId));
  const kept = new Set<unknown>(
    listed.map((item: { itemIdentifier?: unknown } | null) => item?.itemIdentifier),
  );
  for (const id of kept) if (!ids.has(id as string)) return [];
  return messages.filter(({ MessageId }) => !kept.has(MessageId));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
