import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import type { Ledger } from './ledger.ts';
import type { RunBill } from './run-bill.ts';
import { type RunTags, readTags, writeTags } from './tags.ts';

/** Interval of a collector's heartbeats. AWS allows 30 tag calls a second per account. */
const HEARTBEAT_MS = 30_000;

/** Silence after which a collector counts as dead, and another may collect. */
export const ABSENT_MS = 75_000;

/** The live collector of a run, if it has one. @param now by the service's clock */
export function collectorOf({ collectedAt = 0, collector = 'unknown' }: RunTags, now: number) {
  return now - collectedAt < ABSENT_MS ? collector : undefined;
}

/** A collector's heartbeat and progress, as tags of its run's queue. */
export class Heartbeat {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #collector: string;
  readonly #ledger: Ledger;
  readonly #bill: RunBill | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Results that earlier collectors consumed, as far as they reported them. */
  #others = { ok: 0, failed: 0, taken: 0 };
  /** Results consumed here that SQS will not redeliver. */
  #taken: number;
  #published = Promise.resolve();

  /** @param bill what the run has used; it is published too */
  constructor(
    sqs: SQSClient,
    queueUrl: string,
    collector: string,
    ledger: Ledger,
    bill?: RunBill | undefined,
  ) {
    this.#bill = bill;
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.#collector = collector;
    this.#ledger = ledger;
    this.#taken = ledger.ok + ledger.failed;
  }

  /**
   * Number of results that earlier collectors reported as consumed; undefined when there was none.
   * Must be called before any result is consumed here.
   */
  async others(): Promise<number | undefined> {
    const tags = await readTags(this.#sqs, this.#queueUrl).catch((): RunTags => ({}));
    if (tags.collectedAt === undefined) return undefined;
    const more = (there = 0, here: number) => Math.max(0, there - here);
    const { ok, failed } = this.#ledger;
    const taken = more(tags.taken, this.#taken);
    this.#others = { ok: more(tags.ok, ok), failed: more(tags.failed, failed), taken };
    return taken;
  }

  /** Marks all results received so far as consumed: their messages are being deleted. */
  markConsumed(): void {
    this.#taken = this.#ledger.ok + this.#ledger.failed;
  }

  start(): void {
    const beat = () => void this.#publish(() => serviceNow(this.#sqs));
    this.#timer = setInterval(beat, HEARTBEAT_MS);
    beat();
  }

  /** Publishes that this collector has left, so that another may collect at once. */
  async leave(): Promise<void> {
    this.end();
    await this.#publish(() => 0);
  }

  /** Stops the heartbeat: the run is over. */
  end(): void {
    clearInterval(this.#timer);
  }

  /** Publishes in sequence: a late write must not undo a newer one. */
  #publish(at: () => number): Promise<void> {
    this.#published = this.#published.then(() => {
      const { ok, failed } = this.#ledger;
      return publish(this.#sqs, this.#queueUrl, {
        ...sealing(this.#ledger),
        ok: ok + this.#others.ok,
        failed: failed + this.#others.failed,
        taken: this.#taken + this.#others.taken,
        cost: this.#bill?.cost,
        collectedAt: at(),
        collector: this.#collector,
      });
    });
    return this.#published;
  }
}

/** Publishes that a run is sealed, and how many inputs it has. */
export async function publishSealed(
  sqs: SQSClient,
  queueUrl: string,
  ledger: Ledger,
): Promise<void> {
  if (ledger.sealed) await publish(sqs, queueUrl, sealing(ledger));
}

function sealing({ inputs, sealed }: Ledger): RunTags {
  return sealed ? { state: 'sealed', total: inputs } : {};
}

/** A failed write is ignored: the next one makes up for it. */
async function publish(sqs: SQSClient, queueUrl: string, tags: RunTags): Promise<void> {
  await writeTags(sqs, queueUrl, tags).catch(() => {});
}
