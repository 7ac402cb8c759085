import type { StatementSync } from 'node:sqlite';
import type { Database } from '../../sqlite.ts';
import { RECREATE_SECONDS } from '../limits.ts';
import type { Batch, QueueWrite } from './batch.ts';
import { countCommits, openForWriting } from './database.ts';
import { CommitCount, filesOf } from './files.ts';
import { QueueTables } from './queue-tables.ts';
import { momentText, type Value, withChecksum } from './rows.ts';

/** Writes batches, each in one transaction: all of it or nothing. */
export class Writing {
  readonly #sql: Database;
  readonly #commitCount: CommitCount;
  readonly #tables = new Map<number, QueueTables>();
  readonly #put: StatementSync;
  readonly #putCounts: StatementSync;
  readonly #setCommits: StatementSync;
  readonly #putMoment: StatementSync;
  readonly #memories: Memories;
  #commits: number;

  constructor(folder: string) {
    const sql = openForWriting(folder);
    this.#sql = sql;
    this.#put = sql.prepare('REPLACE INTO queues VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#putCounts = sql.prepare('REPLACE INTO counts VALUES (?, ?, ?, ?)');
    this.#setCommits = sql.prepare("UPDATE about SET value = ? WHERE key = 'commits'");
    this.#putMoment = sql.prepare("REPLACE INTO about VALUES ('moment', ?)");
    this.#memories = new Memories(sql);
    this.#commits = countCommits(sql);
    this.#commitCount = new CommitCount(filesOf(folder).commits);
    this.#commitCount.write(this.#commits);
  }

  /** Writes a batch, which is on disk when the method returns. */
  write({ queues, deletions, moment }: Batch): void {
    this.#sql.exec('BEGIN IMMEDIATE');
    try {
      for (const queue of queues) this.#writeQueue(queue);
      for (const [name, at] of deletions) this.#addDeletion(name, at);
      this.#memories.forget(moment.time);
      this.#putMoment.run(momentText(moment));
      this.#setCommits.run(this.#commits + 1);
      this.#sql.exec('COMMIT');
    } catch (error) {
      if (this.#sql.isTransaction) this.#sql.exec('ROLLBACK');
      // Some may belong to tables whose creation was rolled back.
      this.#tables.clear();
      throw error;
    }
    this.#commitCount.write(++this.#commits);
  }

  close(): void {
    this.#commitCount.close();
    this.#sql.close();
  }

  #writeQueue(write: QueueWrite): void {
    const { id, does, cleared, queue, counts, memories } = write;
    const tables = this.#tablesOf(id);
    if (cleared) this.#memories.removeOf(id);
    if (does === 'drop') {
      tables.drop();
      this.#tables.delete(id);
      this.#sql.prepare('DELETE FROM queues WHERE id = ?').run(id);
      this.#sql.prepare('DELETE FROM counts WHERE queue = ?').run(id);
      return;
    }
    if (does === 'create') tables.create();
    tables.write(write);
    this.#memories.add(memories);
    if (queue) this.#put.run(...withChecksum(queue));
    this.#putCounts.run(...withChecksum(counts));
  }

  #tablesOf(id: number): QueueTables {
    const known = this.#tables.get(id);
    if (known) return known;
    const tables = new QueueTables(this.#sql, id);
    this.#tables.set(id, tables);
    return tables;
  }

  #addDeletion(name: string, at: number): void {
    const forgetBefore = at - RECREATE_SECONDS * 1000;
    this.#sql.prepare('DELETE FROM deletions WHERE deleted_at < ?').run(forgetBefore);
    this.#sql.prepare('REPLACE INTO deletions VALUES (?, ?)').run(name, at);
  }
}

/** The memories of queues, ordered by expiry, so that expired ones are deleted from the start. */
class Memories {
  readonly #sql: Database;
  readonly #insert: StatementSync;
  readonly #forget: StatementSync;
  #lastPlace: number;
  /** Expiry of all memories up to a place, earliest first. */
  readonly #ends: { place: number; endsAt: number }[];

  constructor(sql: Database) {
    this.#sql = sql;
    this.#insert = sql.prepare('INSERT INTO memories VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#forget = sql.prepare('DELETE FROM memories WHERE place <= ?');
    const last = sql
      .prepare('SELECT max(place) AS place, max(ends_at) AS ends FROM memories')
      .get();
    this.#lastPlace = Number(last?.place ?? 0);
    this.#ends = [{ place: this.#lastPlace, endsAt: Number(last?.ends ?? 0) }];
  }

  /** The places of a failed transaction are not used again. */
  add(rows: readonly Value[][]): void {
    let endsAt = 0;
    for (const row of rows) {
      this.#insert.run(...withChecksum([++this.#lastPlace, ...row]));
      endsAt = Number(row[1]);
    }
    if (rows.length > 0) this.#ends.push({ place: this.#lastPlace, endsAt });
  }

  removeOf(queue: number): void {
    this.#sql.prepare('DELETE FROM memories WHERE queue = ?').run(queue);
  }

  /** Deletes expired memories. */
  forget(now: number): void {
    const ended = this.#ends.findIndex(({ endsAt }) => endsAt > now);
    const gone = this.#ends.splice(0, ended < 0 ? this.#ends.length : ended);
    const last = gone.at(-1);
    if (last) this.#forget.run(last.place);
  }
}
