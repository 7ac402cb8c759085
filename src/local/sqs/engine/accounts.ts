import type { Owner } from './owner.ts';
import type { Queue } from './queue.ts';
import { Queues, type QueuesOptions } from './queues.ts';

/** The queues of all accounts in all regions. */
export class Accounts {
  /** Of requests that do not say whose they are. */
  readonly own: Queues;
  /** Queues whose waiting receives are to be looked after, once the action at hand is through. */
  readonly changed = new Set<Queue>();
  readonly #options: QueuesOptions;
  readonly #byOwner = new Map<string, Queues>();

  constructor(own: Owner, options: QueuesOptions) {
    this.#options = options;
    this.own = this.of(own);
  }

  of({ accountId, region }: Owner): Queues {
    const key = `${region}/${accountId}`;
    const known = this.#byOwner.get(key);
    if (known) return known;
    const queues = new Queues({ accountId, region }, this.#options, this.changed);
    this.#byOwner.set(key, queues);
    return queues;
  }

  /** As `of`, where nothing is to be made: anybody can name accounts. */
  find({ accountId, region }: Owner): Queues | undefined {
    return this.#byOwner.get(`${region}/${accountId}`);
  }

  all(): Iterable<Queues> {
    return this.#byOwner.values();
  }

  byArn(arn: string): Queue | undefined {
    const [, , , region = '', accountId = ''] = arn.split(':');
    return this.find({ accountId, region })?.byArn(arn);
  }

  /** The queues that a queue is one of. */
  around({ owner }: Queue): Queues {
    return this.of(owner);
  }
}
