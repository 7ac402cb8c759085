import type { SQSClient } from '@aws-sdk/client-sqs';
import { type Announced, announcing } from '../endpoint/announced-workers.ts';
import { sqsAt } from '../endpoint/clients.ts';
import type { FanfoldError } from '../errors.ts';
import { backlogAt } from '../pipeline/run/backlog.ts';
import { backoffMs, wait } from '../retry.ts';
import type { WorkTarget } from './work-target.ts';

export interface WatchOptions {
  site: WorkTarget;
  /** The workers of this process, which the checks announce to a server. */
  announced: Announced;
  /** Called once when the server stops answering; `onBack` is called once when it answers again. */
  onAway: (reason: string) => void;
  onBack: () => void;
  /** Called when the server refuses the credentials, which a retry can't help. The watch ends. */
  onRefused: (error: FanfoldError) => void;
  /** Called when several consecutive checks have found the queue empty. */
  onEmpty: () => void;
}

const POLL_MS = 1_000;
/** Rarer on AWS, where each check costs money. */
const AWS_POLL_MS = 5_000;
const MAX_POLL_MS = 10_000;

/** Long enough for a server under load, which may answer a check slowly. */
const TIMEOUT_MS = 5_000;
const AWAY_POLLS = 2;

/** Time limit for the last check, in milliseconds. */
const LEAVE_MS = 500;

/** SQS's counts are approximate, and miss a chunk that a worker is just sending back. */
const EMPTY_POLLS = 3;
const EMPTY_POLL_MS = 300;
/**
 * AWS's counts may lag by a minute.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
const AWS_EMPTY_POLL_MS = 30_000;

/**
 * Polls the queues for the number of chunks left, and detects whether the server answers. The
 * server counts as away after two failed checks, and as back after one that succeeds. While it is
 * away, the checks back off.
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #sqs: SQSClient;
  readonly #announced: Announced;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #failures = 0;
  #empty = 0;
  #left: number | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    const { place } = options.site;
    this.#sqs = sqsAt(place, { timeoutMs: TIMEOUT_MS, maxAttempts: 1 });
    this.#announced = { ...options.announced };
    if (!('stack' in place)) announcing(this.#sqs, this.#announced);
    this.#ended = this.#watch();
  }

  /** Chunks of all runs, including those in progress; undefined while unknown. */
  get left(): number | undefined {
    return this.#left;
  }

  get away(): boolean {
    return this.#failures >= AWAY_POLLS;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    await this.#leave();
    this.#sqs.destroy();
  }

  /** Tells the server that the workers stop. If that fails, it finds out by their silence. */
  async #leave(): Promise<void> {
    if ('stack' in this.#options.site.place || this.#failures > 0) return;
    this.#announced.count = 0;
    await this.#poll(AbortSignal.timeout(LEAVE_MS)).catch(() => {});
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        this.#onCount(await this.#poll(signal));
      } catch (error) {
        if (signal.aborted || !(await this.#fail(error))) return;
      }
      await wait(this.#pauseMs(), signal);
    }
  }

  #pauseMs(): number {
    if (this.#failures === 1) return 0;
    if (this.#failures > 1) {
      return backoffMs(this.#failures - AWAY_POLLS, { baseMs: POLL_MS, capMs: MAX_POLL_MS });
    }
    const isAws = 'stack' in this.#options.site.place;
    if (this.#empty === 0 || this.#empty >= EMPTY_POLLS) return isAws ? AWS_POLL_MS : POLL_MS;
    return isAws ? AWS_EMPTY_POLL_MS : EMPTY_POLL_MS;
  }

  async #poll(abortSignal: AbortSignal): Promise<number> {
    const { taskQueueUrl } = this.#options.site.queues;
    const { waiting, delayed, inFlight } = await backlogAt(this.#sqs, taskQueueUrl, abortSignal);
    return waiting + delayed + inFlight;
  }

  #onCount(left: number): void {
    const wasAway = this.away;
    this.#failures = 0;
    this.#left = left;
    this.#empty = left === 0 ? this.#empty + 1 : 0;
    if (wasAway) this.#options.onBack();
    if (this.#empty === EMPTY_POLLS) this.#options.onEmpty();
  }

  /** Handles a failed check. Returns whether to check again. */
  async #fail(error: unknown): Promise<boolean> {
    this.#failures++;
    this.#empty = 0;
    this.#left = undefined;
    const { site } = this.#options;
    const why = await site.explain(error);
    if (site.isRefusal(error)) {
      this.#options.onRefused(why);
      return false;
    }
    if (this.#failures === AWAY_POLLS) this.#options.onAway(why.message);
    return true;
  }
}
