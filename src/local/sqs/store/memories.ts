import type { StatementSync } from 'node:sqlite';
import type { Memory } from '../engine/changes.ts';
import { memoryRow, readMemory, type Value } from './rows.ts';
import type { Database } from './sqlite.ts';

/** What FIFO queues remember for a while, in the order of its ends, so that its beginning goes. */
export class Memories {
  readonly #sql: Database;
  readonly #insert: StatementSync;
  readonly #forget: StatementSync;
  readonly #ofQueue: StatementSync;
  #lastPlace = 0;
  /** Up to which places they end when, the earliest first. */
  #ends: { place: number; endsAt: number }[] = [];

  constructor(sql: Database) {
    this.#sql = sql;
    this.#insert = sql.prepare('INSERT INTO memories VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#forget = sql.prepare('DELETE FROM memories WHERE place <= ?');
    this.#ofQueue = sql.prepare('SELECT * FROM memories WHERE queue = ? ORDER BY place');
    this.#ofQueue.setReturnArrays(true);
  }

  /** Each queue's that have not ended, by the queues' ids. */
  load(now: number): Map<number, Memory[]> {
    const all = this.#sql.prepare('SELECT * FROM memories ORDER BY place');
    all.setReturnArrays(true);
    const byQueue = new Map<number, Memory[]>();
    for (const row of all.iterate() as unknown as Iterable<Value[]>) {
      const memory = readMemory(row);
      const queue = Number(row[1]);
      this.#lastPlace = Number(row[0]);
      this.#ends = [{ place: this.#lastPlace, endsAt: memory.endsAt }];
      if (memory.endsAt <= now) continue;
      const known = byQueue.get(queue);
      if (known) known.push(memory);
      else byQueue.set(queue, [memory]);
    }
    return byQueue;
  }

  of(queue: number): Memory[] {
    return (this.#ofQueue.all(queue) as unknown as Value[][]).map(readMemory);
  }

  /** Places of a transaction that fails are not used again. */
  write(queue: number, memories: readonly Memory[]): void {
    const last = memories.at(-1);
    if (last === undefined) return;
    for (const memory of memories) this.#insert.run(...memoryRow(++this.#lastPlace, queue, memory));
    this.#ends.push({ place: this.#lastPlace, endsAt: last.endsAt });
  }

  removeOf(queue: number): void {
    this.#sql.prepare('DELETE FROM memories WHERE queue = ?').run(queue);
  }

  /** Drops what has ended. */
  forget(now: number): void {
    let ended = 0;
    for (const { place, endsAt } of this.#ends) {
      if (endsAt > now) break;
      this.#forget.run(place);
      ended++;
    }
    this.#ends.splice(0, ended);
  }
}
