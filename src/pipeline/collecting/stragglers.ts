import type { SQSClient } from '@aws-sdk/client-sqs';
import { growth } from '../../retry.ts';
import type { ResultLine } from '../messages/result.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { RunLedger } from '../run/ledger.ts';
import { writeTags } from '../run/tags.ts';

/** Share of a run's inputs that are few enough to be run a second time. */
const FEW = 0.05;

/** Multiple of the 95th percentile from which an input takes long. */
const TIMES = 3;

/** Durations that are kept, evenly chosen from all. */
const SAMPLES = 1_000;

/** Fewest durations that say something. */
const LEAST = 10;

/**
 * Time without a result after which slow inputs of a run with bounds are sent to other lanes, in
 * milliseconds: those before may be held up, too. It is doubled each time.
 */
const ROUND_MS = 3_000;

/** Shortest time without a result that shows that the rest is held up, in milliseconds. */
const QUIET_MS = 1_000;

/**
 * Finds the end of a run at which a few slow inputs hold it up, and publishes how long an input must
 * have run by then to be run a second time. The workers that hold such inputs send them on.
 *
 * A slow worker may hold more inputs than are few. So the rest, if it is at most half of the
 * inputs, is also held up when no result has arrived for as long as an input usually takes.
 */
export class Stragglers {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #ledger: RunLedger;
  readonly #samples: number[] = [];
  #seen = 0;
  #published = false;
  #round = 0;
  #again: ReturnType<typeof setTimeout> | undefined;
  #addedAt = 0;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(sqs: SQSClient, queueUrl: string, ledger: RunLedger) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.#ledger = ledger;
  }

  /** Takes the durations of results, and looks whether the rest is held up. */
  add(batches: readonly ResultBatch[]): void {
    if (this.#published) this.#addedAt = performance.now();
    if (this.#published) return;
    for (const { lines } of batches) for (const line of lines) this.#sample(line);
    this.#addedAt = performance.now();
    clearTimeout(this.#quiet);
    const { sealed, inputs, settled } = this.#ledger;
    if (!sealed || this.#seen < LEAST) return;
    const left = inputs - settled;
    if (left <= Math.max(1, inputs * FEW)) this.#publish();
    else if (left <= inputs / 2) this.#quiet = setTimeout(() => this.#look(), QUIET_MS);
  }

  end(): void {
    this.#published = true;
    clearTimeout(this.#quiet);
    clearTimeout(this.#again);
  }

  #look(): void {
    const usualMs = this.#usualMs();
    const restMs = this.#addedAt + usualMs - performance.now();
    if (restMs <= 0) this.#publish();
    else this.#quiet = setTimeout(() => this.#look(), Math.ceil(restMs));
  }

  /** The 95th percentile of the durations, in milliseconds. */
  #usualMs(): number {
    const sorted = this.#samples.toSorted((one, other) => one - other);
    return sorted[Math.floor(sorted.length * 0.95)] ?? 0;
  }

  #publish(): void {
    this.#published = true;
    const hedgeMs = Math.ceil(TIMES * this.#usualMs());
    // Without it, the run only ends later.
    void writeTags(this.#sqs, this.#queueUrl, { hedgeMs }).catch(() => {});
    this.#addedAt = performance.now();
    this.#lookAgain();
  }

  /** Begins another round if there was no result for a while. */
  #lookAgain(): void {
    const leastMs = Math.max(ROUND_MS, this.#usualMs() * TIMES);
    const waitMs = growth(this.#round, leastMs, Number.POSITIVE_INFINITY);
    const restMs = this.#addedAt + waitMs - performance.now();
    if (restMs <= 0) {
      this.#round++;
      this.#addedAt = performance.now();
      const hedgeRound = this.#round;
      void writeTags(this.#sqs, this.#queueUrl, { hedgeRound }).catch(() => {});
    }
    this.#again = setTimeout(() => this.#lookAgain(), Math.ceil(Math.max(restMs, ROUND_MS)));
  }

  #sample({ status, text }: ResultLine): void {
    // At the end of the line, so that its output need not be parsed.
    const [, digits] = /"ms":([\d.]+),"worker":"[^"]*"\}$/.exec(text) ?? [];
    if (status !== 'ok' || digits === undefined) return;
    const ms = Number(digits);
    this.#seen++;
    const at = this.#seen <= SAMPLES ? this.#seen - 1 : Math.floor(Math.random() * this.#seen);
    if (at < SAMPLES) this.#samples[at] = ms;
  }
}
