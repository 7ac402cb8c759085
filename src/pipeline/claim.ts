import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs';

/**
 * How long a worker that takes messages itself hides one at first: over 30 s longer than a task's
 * default `timeoutSeconds`, and short enough that a dead worker's chunk is back in two minutes.
 */
export const CLAIM_SECONDS = 120;

const RENEW_SECONDS = 20;
const MARGIN_SECONDS = 30;

/** A worker's hold on a task message: extended while it works, so that no other gets the chunk. */
export class Claim {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #receiptHandle: string;
  #until: number;
  #refused = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param receivedAt when the receive was sent: the claim counts from then at the earliest */
  constructor(sqs: SQSClient, queueUrl: string, receiptHandle: string, receivedAt: number) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.#receiptHandle = receiptHandle;
    this.#until = receivedAt + CLAIM_SECONDS * 1000;
  }

  /** Whether the message may be another worker's by now: send results, and no new chunks. */
  get lost(): boolean {
    return this.#refused || Date.now() >= this.#until;
  }

  /** Holds the message for items that take up to `timeoutSeconds` each, until `end`. */
  async hold(timeoutSeconds: number): Promise<void> {
    const seconds = Math.max(CLAIM_SECONDS, timeoutSeconds + MARGIN_SECONDS + 2 * RENEW_SECONDS);
    if (Date.now() + (timeoutSeconds + MARGIN_SECONDS) * 1000 > this.#until) {
      await this.#extend(seconds);
    }
    this.#timer = setInterval(() => void this.#extend(seconds), RENEW_SECONDS * 1000);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  async #extend(seconds: number): Promise<void> {
    // SQS refuses a visibility over 12 h.
    const VisibilityTimeout = Math.min(Math.ceil(seconds), 43_200);
    const asked = Date.now();
    try {
      await this.#sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: this.#queueUrl,
          ReceiptHandle: this.#receiptHandle,
          VisibilityTimeout,
        }),
      );
      this.#until = asked + VisibilityTimeout * 1000;
    } catch (error) {
      // A refusal is final; a call that did not get through leaves the claim as it was.
      if ((error as { $fault?: unknown }).$fault === 'client') this.#refused = true;
    }
  }
}
