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
    this.#remember(this.own);
  }

  /**
   * Anybody can name accounts: one is remembered once it has had a queue, and asked for anew by each
   * request until then.
   */
  of({ accountId, region }: Owner): Queues {
    const known = this.find({ accountId, region });
    if (known) return known;
    const remember = (used: Queues) => this.#remember(used);
    return new Queues({ accountId, region }, this.#options, this.changed, remember);
  }

  /** As `of`, where nothing is to be made. */
  find({ accountId, region }: Owner): Queues | undefined {
    return this.#byOwner.get(`${region}/${accountId}`);
  }

  #remember(queues: Queues): void {
    const { accountId, region } = queues.owner;
    this.#byOwner.set(`${region}/${accountId}`, queues);
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
