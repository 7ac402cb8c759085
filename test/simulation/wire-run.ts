import type { Actor } from './actors.ts';

/** Facts about one input of one run, as seen on the wire. */
export class Item {
  /** Whether SQS has accepted a result of it. */
  reported = false;
  /** Ids of task messages that carry it. */
  readonly carriers = new Set<string>();
  /** Workers that announced to run it, and times, by the announcement's id. */
  readonly begun = new Map<string, { actor: Actor; at: number }>();
  /** Executions by worker, and the outcomes that it reported. */
  readonly ran = new Map<Actor, number>();
  readonly ended = new Map<Actor, number>();
  /** Number of starts from its first attempt: by a seed, or by a redelivery. */
  lineages = 0;
}

/** A run as the wire sees it. */
export class WireRun {
  readonly items = new Map<number, Item>();
  /** Whether its queue was ever created. */
  created = false;
  /** Whether its queue was deleted. A late seed creates it again. */
  over = false;

  item(index: number): Item {
    const item = this.items.get(index) ?? new Item();
    this.items.set(index, item);
    return item;
  }
}
