import type { StatementSync } from 'node:sqlite';
import type { Database } from '../../sqlite.ts';
import type { Message } from '../engine/message.ts';
import type { QueueWrite } from './batch.ts';
import { Damage } from './damage.ts';
import { COLUMNS, readMessage, type Value, withChecksum } from './rows.ts';
import { StateBlocks } from './state-blocks.ts';

/**
 * Number of messages read per query. SQLite's own iterator takes twice as long for each row, and
 * all rows at once would double the memory that a deep queue takes.
 */
const READ = 1_000;

const MESSAGE_COLUMNS = COLUMNS.messages.split(',').length;

interface Writing {
  readonly insert: StatementSync;
  /** Takes the first and the last number of a range. */
  readonly remove: StatementSync;
}

/** One queue's messages, in two tables of its own: damage to one queue leaves the others intact. */
export class QueueTables {
  readonly #sql: Database;
  readonly #messages: string;
  readonly #states: StateBlocks;
  #writing: Writing | undefined;

  constructor(sql: Database, id: number) {
    this.#sql = sql;
    this.#messages = `messages_${id}`;
    this.#states = new StateBlocks(sql, id);
  }

  create(): void {
    this.#sql.exec(`CREATE TABLE ${this.#messages} (${COLUMNS.messages}, checksum INTEGER) STRICT`);
    this.#states.create();
  }

  drop(): void {
    this.#sql.exec(`DROP TABLE ${this.#messages}`);
    this.#states.drop();
  }

  write({ cleared, messages, states, gone }: QueueWrite): void {
    this.#writing ??= this.#prepareWriting();
    const { insert, remove } = this.#writing;
    if (cleared) {
      this.#sql.exec(`DELETE FROM ${this.#messages}`);
      this.#states.clear();
    }
    for (const row of messages) insert.run(...withChecksum(row));
    for (const [first, last] of runsOf(gone)) remove.run(first, last);
    this.#states.write(states, gone);
  }

  /** All messages by ascending number. */
  *read(ownerId: string): Generator<Message> {
    const states = this.#states.all();
    let state = states.next().value;
    for (const row of this.#rows()) {
      const message = readMessage(row, ownerId);
      if (state?.number === message.number) {
        Object.assign(message, state);
        state = states.next().value;
      }
      yield message;
    }
    if (state !== undefined) throw new Damage(`message ${state.number} is missing`);
  }

  readOne(number: number, ownerId: string): Message {
    const one = this.#sql.prepare(`SELECT * FROM ${this.#messages} WHERE number = ?`);
    one.setReturnArrays(true);
    const row = one.get(number) as unknown as Value[] | undefined;
    if (row === undefined) throw new Damage(`message ${number} is missing`);
    return Object.assign(readMessage(row, ownerId), this.#states.one(number));
  }

  *#rows(): Generator<Value[], undefined> {
    const page = this.#sql.prepare(
      `SELECT * FROM ${this.#messages} WHERE number > ? ORDER BY number LIMIT ${READ}`,
    );
    page.setReturnArrays(true);
    let last: Value = 0;
    for (;;) {
      const rows = page.all(last) as unknown as Value[][];
      yield* rows;
      last = rows.at(-1)?.[0] ?? 0;
      if (rows.length < READ) return undefined;
    }
  }

  #prepareWriting(): Writing {
    const table = this.#messages;
    return {
      insert: this.#sql.prepare(`REPLACE INTO ${table} VALUES (?${', ?'.repeat(MESSAGE_COLUMNS)})`),
      remove: this.#sql.prepare(`DELETE FROM ${table} WHERE number BETWEEN ? AND ?`),
    };
  }
}

/** Ranges of consecutive numbers. */
function runsOf(numbers: readonly number[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  let run: [first: number, last: number] | undefined;
  for (const number of Float64Array.from(numbers).sort()) {
    if (run && number === run[1] + 1) run[1] = number;
    else {
      run = [number, number];
      runs.push(run);
    }
  }
  return runs;
}
