import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import type { Knobs } from './knobs.ts';

/**
 * Quiet period after the deadline before the run is closed, in milliseconds. Results in the queue
 * arrive at once, so two seconds are ample.
 */
const QUIET_MS = 2_000;

/** The same after another collector: SQS redelivers its messages after their visibility timeout. */
export function quietAfterAnotherMs(visibilitySeconds: number): number {
  return visibilitySeconds * 1000 + 5_000;
}

/** Interval of clock checks, in milliseconds: the clock may be set forward past the deadline. */
const CHECK_INTERVAL_MS = 10_000;

export interface DeadlineCalls {
  /** The deadline has just passed. It is called again if it was extended and has passed again. */
  onPassed: () => void;
  /** No further results arrive. */
  onOver: () => void;
}

/** A run's deadline. Results received by then are consumed first, however long that takes. */
export class Deadline {
  readonly #sqs: SQSClient;
  readonly #knobs: Knobs;
  readonly #quietMs: number;
  readonly #calls: DeadlineCalls;
  /** The deadline whose passing was reported. */
  #passed: number | undefined;
  #receivedAt = performance.now();
  #isHeld = false;
  #isEnded = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param anotherMs quiet period for an earlier collector's messages. @default there was none */
  constructor(sqs: SQSClient, knobs: Knobs, anotherMs: number | undefined, calls: DeadlineCalls) {
    this.#sqs = sqs;
    this.#knobs = knobs;
    this.#quietMs = anotherMs ?? QUIET_MS;
    this.#calls = calls;
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
    const { expiresAt } = this.#knobs.settings;
    const leftMs = expiresAt - serviceNow(this.#sqs);
    if (leftMs < 0 && this.#passed !== expiresAt) {
      this.#passed = expiresAt;
      this.#calls.onPassed();
    }
    // A worker may still start an input in the deadline's own millisecond.
    const passesMs = leftMs < 0 ? CHECK_INTERVAL_MS : Math.ceil(leftMs) + 1;
    const ms = this.#quietMs + (this.#isHeld ? 0 : Math.max(leftMs, -this.quietMs));
    if (ms <= 0) void this.#over();
    else this.#timer = setTimeout(() => this.#arm(), Math.min(ms, passesMs, CHECK_INTERVAL_MS));
  }

  /** The deadline that is known has passed. It may have been extended since it was read. */
  async #over(): Promise<void> {
    const { expiresAt } = this.#knobs.settings;
    await this.#knobs.read();
    if (this.#knobs.settings.expiresAt > expiresAt) this.#arm();
    else if (!this.#isEnded) this.#calls.onOver();
  }
}
