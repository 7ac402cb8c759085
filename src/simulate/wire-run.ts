import type { Actor } from './actors.ts';

/** What is known of one input of one run, from what went over the wire. */
export class Item {
  /** Whether SQS has accepted a result of it. */
  reported = false;
  /** Ids of task messages that carry it. */
  readonly carriers = new Set<string>();
  /** Who announced to run it, and when, by the announcement's id. */
  readonly begun = new Map<string, { actor: Actor; at: number }>();
  /** How often each worker ran it, and told what came of that. */
  readonly ran = new Map<Actor, number>();
  readonly ended = new Map<Actor, number>();
  /** How often it was begun from its first attempt: by a seed, or by what was delivered again. */
  lineages = 0;
}

/** A run as the wire sees it. */
export class WireRun {
  readonly items = new Map<number, Item>();
  /** Whether its queue was deleted. A seed that comes late makes it anew. */
  over = false;

  item(index: number): Item {
    const item = this.items.get(index) ?? new Item();
    this.items.set(index, item);
    return item;
  }
}
