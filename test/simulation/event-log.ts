import { createHash } from 'node:crypto';
import { currentActor, trueNow } from './actors.ts';

/** A log of all events, one per line, with counts of the rare ones. */
export class EventLog {
  readonly lines: string[] = [];
  readonly #counts = new Map<string, number>();
  readonly #startedAt = trueNow();

  /** Records an action of the current actor. */
  note(what: string): void {
    this.lines.push(`${trueNow() - this.#startedAt} ${currentActor().name} ${what}`);
  }

  /** Counts an event that a test must prove to have happened. */
  mark(name: string, times = 1): void {
    if (times > 0) this.#counts.set(name, (this.#counts.get(name) ?? 0) + times);
  }

  get marks(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Milliseconds of virtual time until the last event. */
  get elapsed(): number {
    return Number.parseInt(this.lines.at(-1) ?? '0', 10);
  }

  digest(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex');
  }
}
