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

/**
 * Finds the end of a run at which a few slow inputs hold it up, and publishes how long an input must
 * have run by then to be run a second time. The workers that hold such inputs send them on.
 */
export class Stragglers {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #ledger: RunLedger;
  readonly #samples: number[] = [];
  #seen = 0;
  #published = false;

  constructor(sqs: SQSClient, queueUrl: string, ledger: RunLedger) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.#ledger = ledger;
  }

  /** Takes the durations of results, and looks whether few inputs are left. */
  add(batches: readonly ResultBatch[]): void {
    if (this.#published) return;
    for (const { lines } of batches) for (const line of lines) this.#sample(line);
    const { sealed, inputs, settled } = this.#ledger;
    const areFew = sealed && inputs - settled <= Math.max(1, inputs * FEW);
    if (!areFew || this.#seen < LEAST) return;
    this.#published = true;
    const sorted = this.#samples.toSorted((one, other) => one - other);
    const hedgeMs = Math.ceil(TIMES * (sorted[Math.floor(sorted.length * 0.95)] ?? 0));
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
