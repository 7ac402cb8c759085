import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import type { Ledger } from './ledger.ts';
import { type RunTags, readTags, writeTags } from './tags.ts';

/** How often a collector says that it is there. AWS allows 30 such calls a second in an account. */
const BEAT_MS = 30_000;

/** A collector that has said nothing for so long is not there any more. */
export const ABSENT_MS = 75_000;

/** Who collects a run, where it was heard lately. @param now by the service's clock */
export function collectorOf({ collectedAt = 0, collector = 'unknown' }: RunTags, now: number) {
  return now - collectedAt < ABSENT_MS ? collector : undefined;
}

/** A collector's word, on its run's queue, that it is there and how far it is. */
export class Presence {
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #collector: string;
  readonly #ledger: Ledger;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Results that others had, which are the run's all the same. */
  #others = { ok: 0, failed: 0, taken: 0 };
  /** Results here that will not come again. */
  #taken: number;
  #said = Promise.resolve();

  /** @param ledger as it is by then */
  constructor(sqs: SQSClient, queueUrl: string, collector: string, ledger: Ledger) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.#collector = collector;
    this.#ledger = ledger;
    this.#taken = ledger.ok + ledger.failed;
  }

  /**
   * How many results others have taken for good, as far as they said so; undefined when there were
   * no others. Call it before any result is taken.
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

  /** All results that have come by now are taken, and their messages are being deleted. */
  took(): void {
    this.#taken = this.#ledger.ok + this.#ledger.failed;
  }

  arrive(): void {
    const say = () => void this.#say(() => serviceNow(this.#sqs));
    this.#timer = setInterval(say, BEAT_MS);
    say();
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
  #say(at: () => number): Promise<void> {
    this.#said = this.#said.then(() => {
      const { ok, failed } = this.#ledger;
      return tell(this.#sqs, this.#queueUrl, {
        ...sealing(this.#ledger),
        ok: ok + this.#others.ok,
        failed: failed + this.#others.failed,
        taken: this.#taken + this.#others.taken,
        collectedAt: at(),
        collector: this.#collector,
      });
    });
    return this.#said;
  }
}

/** Tells that a run is sealed, and how many inputs it has. */
export async function tellSealed(sqs: SQSClient, queueUrl: string, ledger: Ledger): Promise<void> {
  if (ledger.sealed) await tell(sqs, queueUrl, sealing(ledger));
}

function sealing({ inputs, sealed }: Ledger): RunTags {
  return sealed ? { state: 'sealed', total: inputs } : {};
}

/** A failed write is made good by the next one. */
async function tell(sqs: SQSClient, queueUrl: string, tags: RunTags): Promise<void> {
  await writeTags(sqs, queueUrl, tags).catch(() => {});
}
