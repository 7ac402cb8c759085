import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Stopwatch } from '../../stopwatch.ts';
import { isNotInHand } from '../call-errors.ts';

/**
 * Visibility timeout of a receive: over 30 s longer than a task's default `timeoutSeconds`, and
 * short enough that a dead worker's chunk is back in two minutes.
 */
export const CLAIM_SECONDS = 120;

const RENEW_SECONDS = 20;
const MARGIN_SECONDS = 30;

/**
 * Longest duration of one change of a message's visibility, with all of the SDK's retries: less
 * than the interval of renewals. A lost packet must not hold a worker up.
 */
const CALL_MS = 15_000;

/**
 * A message that is given up becomes visible after 25 to 29 s. That is soon enough for its run, and
 * seldom enough that a task queue's 100 receives outlast a bad deployment of 40 minutes. The jitter
 * spreads chunks that failed together.
 */
const RELEASE_SECONDS = 25;
const RELEASE_JITTER_SECONDS = 4;

/** Tries to give a message up, each with all of the SDK's retries. */
const RELEASE_TRIES = 2;

/**
 * Longest claim. SQS hides a message for 12 h at most, counted from its receive, and refuses more.
 * A claim ends a minute earlier, because an answer may be on its way.
 */
const LONGEST_SECONDS = 43_200 - 60;

export interface ClaimOptions {
  sqs: SQSClient;
  queueUrl: string;
  receiptHandle: string;
  /**
   * Started when the receive was sent that hid the message for `CLAIM_SECONDS`, which is the
   * earliest moment from which SQS counts. If undefined, another process received the message, and
   * its visibility is not known yet.
   */
  sinceReceive?: Stopwatch;
}

/**
 * A worker's hold on a task message. It is short, so that a dead worker's chunk is back soon, and
 * is extended while the worker works.
 *
 * It is confirmed until a moment that SQS has agreed to. Once that moment has passed, or SQS has
 * reported that this worker no longer holds the message, the claim is lost for good. Another worker
 * may have the message by now, and an old receipt handle must not take it away.
 */
export class Claim {
  readonly #options: ClaimOptions;
  readonly #held: Stopwatch;
  /** End of the confirmed time, by `#held`; undefined until SQS has confirmed any. */
  #untilMs: number | undefined;
  #lost = false;
  #seconds = CLAIM_SECONDS;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Calls that may still hide the message. */
  readonly #extending = new Set<Promise<void>>();

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.#held = options.sinceReceive ?? new Stopwatch();
    if (options.sinceReceive) this.#untilMs = CLAIM_SECONDS * 1000;
  }

  /** Whether another worker may have the message: results may still be sent, chunks may not. */
  get lost(): boolean {
    if (this.#untilMs !== undefined && this.heldMs >= this.#untilMs) this.#lost = true;
    return this.#lost;
  }

  /** Milliseconds since it began. A clock that is set back does not lengthen the claim. */
  get heldMs(): number {
    return this.#held.ms;
  }

  /** Whether it outlasts an item that starts now and takes up to `timeoutSeconds`. */
  covers(timeoutSeconds: number, heldMs = this.heldMs): boolean {
    const seconds = Math.min(timeoutSeconds + MARGIN_SECONDS, LONGEST_SECONDS - MARGIN_SECONDS);
    // A lost claim stays lost, whatever it was confirmed for.
    return !this.#lost && this.#untilMs !== undefined && heldMs + seconds * 1000 <= this.#untilMs;
  }

  /**
   * Holds the message, from now until `end`, for items that take up to `timeoutSeconds` each.
   * Returns false if the claim does not cover the next one.
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
   * Gives the message up: SQS redelivers it within half a minute, or at once. The message of a lost
   * claim is another worker's, and is left alone.
   */
  async release({ atOnce = false } = {}): Promise<void> {
    this.end();
    // An extension under way would hide the message again.
    await Promise.all(this.#extending);
    for (let tries = 1; tries <= RELEASE_TRIES && !this.lost; tries++) {
      const jitter = Math.round(Math.random() * RELEASE_JITTER_SECONDS);
      if (await this.#change(atOnce ? 0 : RELEASE_SECONDS + jitter)) this.#lost = true;
    }
    this.#lost = true;
  }

  /** Gives the message up, and hides it for a time: it comes back to any worker then. */
  async hide(seconds: number): Promise<void> {
    this.end();
    await Promise.all(this.#extending);
    if (!this.lost) await this.#change(Math.min(LONGEST_SECONDS, Math.ceil(seconds)));
    this.#lost = true;
  }

  /** Shows a hidden message again. SQS refuses if another worker has it by now. */
  async show(): Promise<void> {
    await this.#change(0);
  }

  async #extend(): Promise<void> {
    if (this.lost) return;
    const askedMs = this.heldMs;
    const left = LONGEST_SECONDS - askedMs / 1000;
    const seconds = Math.floor(Math.min(this.#seconds, left));
    if (askedMs + seconds * 1000 <= (this.#untilMs ?? 0)) return;
    const extending = this.#change(seconds).then((changed) => {
      this.#extending.delete(extending);
      // It may have run out before SQS was asked, even if SQS accepts an old receipt handle.
      if (changed && !this.lost) this.#untilMs = askedMs + seconds * 1000;
    });
    this.#extending.add(extending);
    await extending;
  }

  /** Changes the message's visibility timeout. Returns false if SQS has not confirmed it. */
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
      // A call that did not reach SQS leaves the claim as it was.
      if (isNotInHand(error)) this.#lost = true;
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
