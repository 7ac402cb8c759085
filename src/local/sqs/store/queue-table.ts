import type { StatementSync } from 'node:sqlite';
import type { KeptQueue } from '../engine/changes.ts';
import type { Queue } from '../engine/queue.ts';
import { Damage } from './damage.ts';
import { checkRow, queueRow, readQueue, type Value, withChecksum } from './rows.ts';
import type { Database } from './sqlite.ts';

/** What is kept of a queue itself, and how many messages it had. */
export interface ReadQueue {
  readonly kept: KeptQueue;
  readonly messages: number;
}

/** The queues themselves, and the names of those that were deleted a short while ago. */
export class QueueTable {
  readonly #sql: Database;
  readonly #put: StatementSync;
  readonly #count: StatementSync;
  readonly #get: StatementSync;
  readonly #getCount: StatementSync;

  constructor(sql: Database) {
    this.#sql = sql;
    this.#put = sql.prepare('REPLACE INTO queues VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#count = sql.prepare('REPLACE INTO counts VALUES (?, ?, ?, ?)');
    this.#get = sql.prepare('SELECT * FROM queues WHERE id = ?');
    this.#getCount = sql.prepare('SELECT * FROM counts WHERE queue = ?');
    this.#get.setReturnArrays(true);
    this.#getCount.setReturnArrays(true);
  }

  /** The queues that are kept, to be read one by one; their names are not checked. */
  list(): { id: number; name: string }[] {
    const queues = this.#sql.prepare('SELECT id, name FROM queues ORDER BY id').all();
    const tables = this.#sql
      .prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'messages\\_%' ESCAPE '\\'")
      .all();
    const ids = new Set(queues.map(({ id }) => `messages_${id}`));
    const stray = tables.find(({ name }) => !ids.has(String(name)));
    if (stray) throw new Damage(`the table ${stray.name} is of no queue`);
    return queues.map(({ id, name }) => ({ id: Number(id), name: String(name) }));
  }

  read(id: number): ReadQueue {
    const row = this.#get.get(id) as unknown as Value[] | undefined;
    const counts = this.#getCount.get(id) as unknown as Value[] | undefined;
    if (row === undefined || counts === undefined) throw new Damage('it is missing');
    checkRow(counts, 'the count of its messages');
    const [, lastNumber, messages] = counts;
    return { kept: readQueue(row, Number(lastNumber)), messages: Number(messages) };
  }

  write(id: number, queue: Queue): void {
    this.#put.run(...queueRow(id, queue));
    this.#count.run(...withChecksum([id, queue.lastNumber, queue.messageCount]));
  }

  remove(id: number): void {
    this.#sql.prepare('DELETE FROM queues WHERE id = ?').run(id);
    this.#sql.prepare('DELETE FROM counts WHERE queue = ?').run(id);
  }

  /** When names were given up, the earliest first. */
  deletions(): [name: string, at: number][] {
    const rows = this.#sql.prepare('SELECT * FROM deletions ORDER BY deleted_at').all();
    return rows.map(({ name, deleted_at }) => [String(name), Number(deleted_at)]);
  }

  /** @param forgetBefore those that were given up before that moment are of no interest any more */
  addDeletion(name: string, at: number, forgetBefore: number): void {
    this.#sql.prepare('DELETE FROM deletions WHERE deleted_at < ?').run(forgetBefore);
    this.#sql.prepare('REPLACE INTO deletions VALUES (?, ?)').run(name, at);
  }
}
