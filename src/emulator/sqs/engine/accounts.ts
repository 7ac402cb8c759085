import type { Queue } from './queue.ts';
import type { Owner } from './queue-state.ts';
import { Queues, type QueuesOptions } from './queues.ts';

/** The queues of all accounts in all regions. */
export class Accounts {
  /** For requests that name no account and region. */
  readonly own: Queues;
  /** Queues whose waiting receives must be served after the current action. */
  readonly changed = new Set<Queue>();
  readonly #options: QueuesOptions;
  readonly #byOwner = new Map<string, Queues>();

  constructor(own: Owner, options: QueuesOptions) {
    this.#options = options;
    this.own = this.of(own);
    this.#remember(this.own);
  }

  /**
   * The queues of an account in a region. Any request can name accounts, so one is remembered only
   * once it has had a queue; until then each request gets a new, empty one.
   */
  of({ accountId, region }: Owner): Queues {
    const known = this.find({ accountId, region });
    if (known) return known;
    const remember = (used: Queues) => this.#remember(used);
    return new Queues({ accountId, region }, this.#options, this.changed, remember);
  }

  /** Like `of`, but creates nothing. */
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

  /** The queues of the account and region that a queue belongs to. */
  around({ owner }: Queue): Queues {
    return this.of(owner);
  }
}
