import type { SQSClient } from '@aws-sdk/client-sqs';
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
  #addedAt = 0;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(sqs: SQSClient, queueUrl: string, ledger: RunLedger) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.#ledger = ledger;
  }

  /** Takes the durations of results, and looks whether the rest is held up. */
  add(batches: readonly ResultBatch[]): void {
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
