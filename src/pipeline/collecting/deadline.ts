import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import type { Knobs } from './knobs.ts';

/**
 * Quiet period after the deadline before the run is closed, in milliseconds. Results in the queue
 * arrive at once, so two seconds are ample.
 */
const QUIET_MS = 2_000;

/** The same after another collector, whose messages SQS redelivers after a minute. */
export const QUIET_AFTER_ANOTHER_MS = 65_000;

/** Interval of clock checks, in milliseconds: the clock may be set forward past the deadline. */
const CHECK_INTERVAL_MS = 10_000;

/** A run's deadline. Results received by then are consumed first, however long that takes. */
export class Deadline {
  readonly #sqs: SQSClient;
  readonly #knobs: Knobs;
  readonly #quietMs: number;
  readonly #onOver: () => void;
  #receivedAt = performance.now();
  #isHeld = false;
  #isEnded = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param afterAnother whether the run had another collector before */
  constructor(sqs: SQSClient, knobs: Knobs, afterAnother: boolean, onOver: () => void) {
    this.#sqs = sqs;
    this.#knobs = knobs;
    this.#quietMs = afterAnother ? QUIET_AFTER_ANOTHER_MS : QUIET_MS;
    this.#onOver = onOver;
    this.#arm();
  }

  /** Results were received, and their consumer has not returned yet. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The consumer has returned. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#receivedAt = performance.now();
  }

  /** Milliseconds without a result while the consumer was ready for one. */
  get quietMs(): number {
    return this.#isHeld ? 0 : performance.now() - this.#receivedAt;
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    if (this.#isEnded) return;
    const leftMs = this.#knobs.settings.expiresAt - serviceNow(this.#sqs);
    const ms = this.#quietMs + (this.#isHeld ? 0 : Math.max(leftMs, -this.quietMs));
    if (ms <= 0) void this.#over();
    else this.#timer = setTimeout(() => this.#arm(), Math.min(ms, CHECK_INTERVAL_MS));
  }

  /** The deadline that is known has passed. It may have been extended since it was read. */
  async #over(): Promise<void> {
    const { expiresAt } = this.#knobs.settings;
    await this.#knobs.read();
    if (this.#knobs.settings.expiresAt > expiresAt) this.#arm();
    else if (!this.#isEnded) this.#onOver();
  }
}
