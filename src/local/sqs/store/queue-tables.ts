import type { StatementSync } from 'node:sqlite';
import type { Message } from '../engine/message.ts';
import type { QueueWrite } from './batch.ts';
import { Damage } from './damage.ts';
import { stateRows } from './packed-states.ts';
import { COLUMNS, readMessage, readState, type Value, withChecksum } from './rows.ts';
import type { Database } from './sqlite.ts';

/** How many messages are read at once. */
const READ = 1_000;

const MESSAGE_COLUMNS = COLUMNS.messages.split(',').length;
const STATE_COLUMNS = COLUMNS.states.split(',').length;

interface Writing {
  readonly insert: StatementSync;
  readonly putState: StatementSync;
  readonly deleteMessage: StatementSync;
  readonly deleteState: StatementSync;
}

/** One queue's messages, in two tables of its own: what damages one queue leaves others whole. */
export class QueueTables {
  readonly #sql: Database;
  readonly #messages: string;
  readonly #states: string;
  #writing: Writing | undefined;

  constructor(sql: Database, id: number) {
    this.#sql = sql;
    this.#messages = `messages_${id}`;
    this.#states = `states_${id}`;
  }

  create(): void {
    this.#sql.exec(
      `CREATE TABLE ${this.#messages} (${COLUMNS.messages}, checksum INTEGER) STRICT;
       CREATE TABLE ${this.#states} (${COLUMNS.states}, checksum INTEGER) STRICT`,
    );
  }

  drop(): void {
    this.#sql.exec(`DROP TABLE ${this.#messages}; DROP TABLE ${this.#states}`);
  }

  write({ cleared, messages, states, gone }: QueueWrite): void {
    this.#writing ??= this.#prepareWriting();
    const { insert, putState, deleteMessage, deleteState } = this.#writing;
    if (cleared) this.#sql.exec(`DELETE FROM ${this.#messages}; DELETE FROM ${this.#states}`);
    for (const row of messages) insert.run(...withChecksum(row));
    for (const row of stateRows(states)) putState.run(...withChecksum(row));
    for (const number of gone) {
      deleteMessage.run(number);
      deleteState.run(number);
    }
  }

  /** All messages, the first sent first. */
  *read(ownerId: string): Generator<Message> {
    const states = this.#rows(this.#states);
    let state = states.next().value;
    for (const row of this.#rows(this.#messages)) {
      const message = readMessage(row, ownerId);
      if (state !== undefined && Number(state[0]) === message.number) {
        readState(state, message);
        state = states.next().value;
      }
      yield message;
    }
    if (state !== undefined) throw new Damage(`message ${state[0]} is missing`);
  }

  readOne(number: number, ownerId: string): Message {
    const row = this.#get(this.#messages, number);
    if (row === undefined) throw new Damage(`message ${number} is missing`);
    const message = readMessage(row, ownerId);
    const state = this.#get(this.#states, number);
    if (state) readState(state, message);
    return message;
  }

  *#rows(table: string): Generator<Value[], undefined> {
    const page = this.#sql.prepare(
      `SELECT * FROM ${table} WHERE number > ? ORDER BY number LIMIT ${READ}`,
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

  #get(table: string, number: number): Value[] | undefined {
    const one = this.#sql.prepare(`SELECT * FROM ${table} WHERE number = ?`);
    one.setReturnArrays(true);
    return one.get(number) as unknown as Value[] | undefined;
  }

  #prepareWriting(): Writing {
    const into = (table: string, columns: number) =>
      this.#sql.prepare(`REPLACE INTO ${table} VALUES (?${', ?'.repeat(columns)})`);
    const from = (table: string) => this.#sql.prepare(`DELETE FROM ${table} WHERE number = ?`);
    return {
      insert: into(this.#messages, MESSAGE_COLUMNS),
      putState: into(this.#states, STATE_COLUMNS),
      deleteMessage: from(this.#messages),
      deleteState: from(this.#states),
    };
  }
}
