import type { Deployment } from '../run/deployment.ts';
import { PayloadError, type Payloads } from '../run/payloads.ts';

/** Time until statistics are published first: a run that is shorter must not wait for it, in ms. */
const FIRST_MS = 5_000;

/** Interval of publishing, in milliseconds: on AWS, each costs money, $0.0006 an hour in all. */
const EVERY_MS = { local: 5_000, metered: 30_000 };

/** Multiple of the time that publishing takes which must pass until the next: 1 % of a core. */
const SPARED = 100;

/** Longest time to publish, in milliseconds: a run's end does not depend on it. */
const SEND_MS = 5_000;

/**
 * Publishes the statistics of a run now and then, for those who look at it without collecting it: as
 * an object of the deployment's bucket, which every deployment has.
 */
export class PublishedStatistics {
  readonly #payloads: Payloads;
  readonly #runId: string;
  readonly #content: () => Uint8Array;
  readonly #everyMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #publishing: Promise<void> | undefined;
  #isDenied = false;
  #isOver = false;

  /**
   * Undefined where nobody could look.
   *
   * @param content gives the statistics so far
   */
  static of(
    { isShared, payloads, metered }: Deployment,
    runId: string,
    content: () => Uint8Array,
  ): PublishedStatistics | undefined {
    if (!isShared || payloads === undefined) return undefined;
    const everyMs = metered ? EVERY_MS.metered : EVERY_MS.local;
    return new PublishedStatistics(payloads, runId, content, everyMs);
  }

  private constructor(
    payloads: Payloads,
    runId: string,
    content: () => Uint8Array,
    everyMs: number,
  ) {
    this.#payloads = payloads;
    this.#runId = runId;
    this.#content = content;
    this.#everyMs = everyMs;
  }

  /** Begins with the first results. */
  start(): void {
    if (this.#timer === undefined) this.#arm(FIRST_MS);
  }

  /** Publishes the last statistics, if there were any before. */
  async end(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    if (this.#publishing === undefined) return;
    await this.#publishing;
    await this.#publish();
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#publishing = this.#round();
    }, ms);
    this.#timer.unref();
  }

  async #round(): Promise<void> {
    const tookMs = await this.#publish();
    if (!this.#isOver) this.#arm(Math.max(this.#everyMs, tookMs * SPARED));
  }

  /** Returns for how long it kept this process busy. A failure is ignored: the next makes up for it. */
  async #publish(): Promise<number> {
    if (this.#isDenied) return 0;
    const from = performance.now();
    const content = this.#content();
    const tookMs = performance.now() - from;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), SEND_MS);
    await this.#payloads
      .putStatistics(this.#runId, content, limit.signal)
      .catch((error: unknown) => {
        // No bucket, or no access to it.
        this.#isDenied = error instanceof PayloadError;
      });
    clearTimeout(timer);
    return tookMs;
  }
}
