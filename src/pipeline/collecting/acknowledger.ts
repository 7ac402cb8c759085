import { DeleteMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** SQS deletes at most ten messages per call. */
const BATCH_ENTRIES = 10;

/** Longest time that a message waits to be deleted with others, in milliseconds. */
const LINGER_MS = 50;

/** Deletes messages whose results the consumer has taken, up to ten per call. */
export class Acknowledger {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #deleting = new Set<Promise<unknown>>();
  #handles: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sqs: SQSClient, queueUrl: string) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
  }

  /** Deletes messages soon. If that fails, SQS redelivers them, and their results are dropped. */
  acknowledge(receiptHandles: readonly string[]): void {
    this.#handles.push(...receiptHandles);
    while (this.#handles.length >= BATCH_ENTRIES) this.#delete();
    if (this.#handles.length > 0) this.#timer ??= setTimeout(() => this.#delete(), LINGER_MS);
  }

  /** Resolves when SQS has answered every deletion. */
  async settled(): Promise<void> {
    if (this.#handles.length > 0) this.#delete();
    await Promise.all(this.#deleting);
  }

  #delete(): void {
    const batch = this.#handles.splice(0, BATCH_ENTRIES);
    if (this.#handles.length === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    const deleted = this.#sqs
      .send(
        new DeleteMessageBatchCommand({
          QueueUrl: this.#queueUrl,
          Entries: batch.map((ReceiptHandle, id) => ({ Id: String(id), ReceiptHandle })),
        }),
      )
      .catch(() => {})
      .finally(() => this.#deleting.delete(deleted));
    this.#deleting.add(deleted);
  }
}
