import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';

/**
 * How long nothing may have come after the deadline until nothing is to come: what is in the queue
 * comes at once.
 */
const QUIET_MS = 2_000;

/** Where another collector was before, what it had in hand comes when SQS has hidden it for a minute. */
export const QUIET_AFTER_ANOTHER_MS = 65_000;

/** How often the clock is looked at, in milliseconds: it may be set forward past the deadline. */
const LOOK_MS = 10_000;

/** A run's deadline: what has come by then is taken, however long that takes, and then it is over. */
export class Deadline {
  readonly #sqs: SQSClient;
  readonly #expiresAt: number;
  readonly #quietMs: number;
  readonly #onOver: () => void;
  #heardAt = performance.now();
  #isHeld = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param afterAnother whether the run had another collector before */
  constructor(sqs: SQSClient, expiresAt: number, afterAnother: boolean, onOver: () => void) {
    this.#sqs = sqs;
    this.#expiresAt = expiresAt;
    this.#quietMs = afterAnother ? QUIET_AFTER_ANOTHER_MS : QUIET_MS;
    this.#onOver = onOver;
    this.#arm();
  }

  /** Results came, and their consumer is at them. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Their consumer has taken them. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#heardAt = performance.now();
  }

  /** How long nothing has come, in milliseconds, though its consumer had taken what was there. */
  get quietMs(): number {
    return this.#isHeld ? 0 : performance.now() - this.#heardAt;
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const leftMs = this.#expiresAt - serviceNow(this.#sqs);
    const ms = this.#quietMs + (this.#isHeld ? 0 : Math.max(leftMs, -this.quietMs));
    if (ms <= 0) this.#onOver();
    else this.#timer = setTimeout(() => this.#arm(), Math.min(ms, LOOK_MS));
  }
}
