import { type SQSClient, TagQueueCommand } from '@aws-sdk/client-sqs';
import type { Ledger } from './ledger.ts';

/** How often a collector says that it is there. AWS allows 30 such calls a second in an account. */
const BEAT_MS = 30_000;

/** A collector that has said nothing for so long is not there any more. */
export const ABSENT_MS = 75_000;

/** A collector's word, on its run's queue, that it is there and how far it is. */
export class Presence {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #ledger: Ledger;
  readonly #timer: ReturnType<typeof setInterval>;
  #said = Promise.resolve();

  /** @param ledger as it is by then */
  constructor(sqs: SQSClient, queueUrl: string, ledger: Ledger) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.#ledger = ledger;
    this.#timer = setInterval(() => this.tell(), BEAT_MS);
  }

  tell(): void {
    void this.#say(() => Date.now());
  }

  /** Its run goes on without it, and another may collect. */
  async leave(): Promise<void> {
    this.end();
    await this.#say(() => 0);
  }

  /** Its run is over. */
  end(): void {
    clearInterval(this.#timer);
  }

  /** One after the other: a word that is late must not undo the next one. */
  #say(collectedAt: () => number): Promise<void> {
    this.#said = this.#said.then(() =>
      tellProgress(this.#sqs, this.#queueUrl, this.#ledger, collectedAt()),
    );
    return this.#said;
  }
}

/** Tells how far a run is. What can't be said now is said again later. */
export async function tellProgress(
  sqs: SQSClient,
  QueueUrl: string,
  { inputs, ok, failed, sealed }: Ledger,
  collectedAt?: number,
): Promise<void> {
  const state = sealed ? { state: 'sealed', total: inputs } : {};
  const collected = collectedAt === undefined ? {} : { ok, failed, collectedAt };
  const tags = Object.entries({ ...state, ...collected });
  const Tags = Object.fromEntries(tags.map(([name, value]) => [name, String(value)]));
  if (tags.length > 0) await sqs.send(new TagQueueCommand({ QueueUrl, Tags })).catch(() => {});
}
