import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Stopwatch } from '../../stopwatch.ts';
import { isNotInHand } from '../call-errors.ts';

/**
 * How long a worker hides a message at first: over 30 s longer than a task's default
 * `timeoutSeconds`, and short enough that a dead worker's chunk is back in two minutes.
 */
export const CLAIM_SECONDS = 120;

const RENEW_SECONDS = 20;
const MARGIN_SECONDS = 30;

/**
 * How long one change of a message's visibility may take, with all of the SDK's retries: less than
 * it takes until the next renewal. A lost packet must not hold a worker.
 */
const CALL_MS = 15_000;

/**
 * A message that is given up becomes visible after 25 to 29 s: soon enough for its run, and seldom
 * enough that a task queue's 100 receives outlast a bad deployment of 40 minutes. The jitter spreads
 * chunks that failed together.
 */
const RELEASE_SECONDS = 25;
const RELEASE_JITTER_SECONDS = 4;

/** Tries at giving a message up, each with all of the SDK's retries. */
const RELEASE_TRIES = 2;

/**
 * SQS hides a message for 12 h at most, counted from its receive, and refuses what is over it:
 * a claim ends this much earlier, in which an answer may be on its way.
 */
const LONGEST_SECONDS = 43_200 - 60;

export interface ClaimOptions {
  sqs: SQSClient;
  queueUrl: string;
  receiptHandle: string;
  /**
   * Started when the receive was sent that hid the message for `CLAIM_SECONDS`, which is when SQS
   * began to count at the earliest. Without it somebody else received the message, and nothing is
   * known yet.
   */
  sinceReceive?: Stopwatch;
}

/**
 * A worker's hold on a task message, which is short, so that a dead worker's chunk is back soon,
 * and is extended while it works.
 *
 * It is confirmed until a moment that SQS has agreed to. Once that has passed, or SQS has said that
 * the message is not in this worker's hand, it is lost, for good: another may have the message by
 * now, and an old receipt handle must not take it away.
 */
export class Claim {
  readonly #options: ClaimOptions;
  readonly #held: Stopwatch;
  /** By `#held`. Undefined until SQS has agreed to something. */
  #untilMs: number | undefined;
  #lost = false;
  #seconds = CLAIM_SECONDS;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The calls that may still hide the message, or have. */
  readonly #extending = new Set<Promise<void>>();

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.#held = options.sinceReceive ?? new Stopwatch();
    if (options.sinceReceive) this.#untilMs = CLAIM_SECONDS * 1000;
  }

  /** Whether the message may be another worker's by now: send results, and no new chunks. */
  get lost(): boolean {
    if (this.#untilMs !== undefined && this.heldMs >= this.#untilMs) this.#lost = true;
    return this.#lost;
  }

  /** Milliseconds since it began: a clock set back does not lengthen the claim. */
  get heldMs(): number {
    return this.#held.ms;
  }

  /** Whether it outlasts an item that begins now and takes up to `timeoutSeconds`. */
  covers(timeoutSeconds: number, heldMs = this.heldMs): boolean {
    const seconds = Math.min(timeoutSeconds + MARGIN_SECONDS, LONGEST_SECONDS - MARGIN_SECONDS);
    // Once it is lost it stays so, whatever it was confirmed for.
    return !this.#lost && this.#untilMs !== undefined && heldMs + seconds * 1000 <= this.#untilMs;
  }

  /**
   * Holds the message, from now until `end`, for items that take up to `timeoutSeconds` each; false
   * when it could not be made to cover the next one.
   */
  async hold(timeoutSeconds: number): Promise<boolean> {
    this.#seconds = Math.max(CLAIM_SECONDS, timeoutSeconds + MARGIN_SECONDS + 2 * RENEW_SECONDS);
    this.#timer ??= setInterval(() => void this.#extend(), RENEW_SECONDS * 1000);
    if (!this.covers(timeoutSeconds)) await this.#extend();
    return this.covers(timeoutSeconds);
  }

  /** Stops the renewals: the message is about to be deleted. */
  end(): void {
    clearInterval(this.#timer);
  }

  /**
   * Gives the message up: SQS redelivers it within half a minute, or at once. A lost claim's message
   * is another worker's, and is left alone.
   */
  async release({ atOnce = false } = {}): Promise<void> {
    this.end();
    // An extension that is on its way would hide the message again.
    await Promise.all(this.#extending);
    for (let tries = 1; tries <= RELEASE_TRIES && !this.lost; tries++) {
      const jitter = Math.round(Math.random() * RELEASE_JITTER_SECONDS);
      if (await this.#change(atOnce ? 0 : RELEASE_SECONDS + jitter)) this.#lost = true;
    }
    this.#lost = true;
  }

  async #extend(): Promise<void> {
    if (this.lost) return;
    const askedMs = this.heldMs;
    const left = LONGEST_SECONDS - askedMs / 1000;
    const seconds = Math.floor(Math.min(this.#seconds, left));
    if (askedMs + seconds * 1000 <= (this.#untilMs ?? 0)) return;
    const extending = this.#change(seconds).then((changed) => {
      this.#extending.delete(extending);
      // It may have run out before SQS was asked, whatever SQS says of an old receipt handle.
      if (changed && !this.lost) this.#untilMs = askedMs + seconds * 1000;
    });
    this.#extending.add(extending);
    await extending;
  }

  /** Changes how long SQS hides the message; false when SQS has not confirmed it. */
  async #change(VisibilityTimeout: number): Promise<boolean> {
    const { sqs, queueUrl: QueueUrl, receiptHandle: ReceiptHandle } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), CALL_MS);
    try {
      await sqs.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }),
        { abortSignal: late.signal },
      );
      return true;
    } catch (error) {
      // A call that did not get through leaves the claim as it was.
      if (isNotInHand(error)) this.#lost = true;
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
