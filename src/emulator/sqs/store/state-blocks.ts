import type { StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { Database } from '../../sqlite.ts';
import { Damage } from './damage.ts';
import {
  PACKED_NUMBERS,
  type PackedStates,
  STATE_NUMBERS,
  type State,
  unpackState,
} from './packed-states.ts';

/**
 * Number of messages whose states share one row. Messages that are received together were mostly
 * sent together: a row for each would take longer to write than the rest of the receive. Otherwise
 * one message costs a row of 2 KiB, in a page of 8 KiB that is written anyway.
 */
const BLOCK = 32;

/** Number of blocks read per query. */
const READ = 100;

/** The states of messages with consecutive numbers. */
interface Block {
  readonly numbers: Float64Array;
  /** By message number. */
  readonly sources: Map<number, string>;
}

interface Statements {
  readonly get: StatementSync;
  readonly put: StatementSync;
  readonly remove: StatementSync;
}

/**
 * The states of one queue's messages, in a table of their own. A message without a state is as it
 * was sent: visible and never received. The numbers are little-endian, as on all machines that Node
 * runs on, except for IBM's mainframes.
 */
export class StateBlocks {
  readonly #sql: Database;
  readonly #table: string;
  #statements: Statements | undefined;

  constructor(sql: Database, id: number) {
    this.#sql = sql;
    this.#table = `blocks_${id}`;
  }

  create(): void {
    this.#sql.exec(
      `CREATE TABLE ${this.#table} (block INTEGER PRIMARY KEY, states BLOB, sources TEXT, checksum INTEGER) STRICT`,
    );
  }

  drop(): void {
    this.#sql.exec(`DROP TABLE ${this.#table}`);
  }

  clear(): void {
    this.#sql.exec(`DELETE FROM ${this.#table}`);
  }

  /** @param gone numbers of messages that no longer exist */
  write({ numbers, sources }: PackedStates, gone: Iterable<number>): void {
    const blocks = new Map<number, Block>();
    for (let first = 0; first < numbers.length; first += PACKED_NUMBERS) {
      const number = numbers[first] ?? 0;
      const block = this.#blockOf(number, blocks);
      block.numbers.set(numbers.subarray(first + 1, first + PACKED_NUMBERS), slotOf(number));
      const source = sources.get(number);
      if (source === undefined) block.sources.delete(number);
      else block.sources.set(number, source);
    }
    for (const number of gone) {
      const block = this.#blockOf(number, blocks);
      block.numbers.fill(0, slotOf(number), slotOf(number) + STATE_NUMBERS);
      block.sources.delete(number);
    }
    const { put, remove } = this.#prepared;
    for (const [place, block] of blocks) {
      if (block.numbers.every((number) => number === 0)) remove.run(place);
      else put.run(place, ...rowOf(place, block));
    }
  }

  /** All states by ascending message number. */
  *all(): Generator<State, undefined> {
    const page = this.#sql.prepare(
      `SELECT * FROM ${this.#table} WHERE block > ? ORDER BY block LIMIT ${READ}`,
    );
    for (let last = -1; ; ) {
      const rows = page.all(last);
      for (const row of rows) {
        last = Number(row.block);
        const block = readBlock(last, row);
        for (let number = last * BLOCK; number < (last + 1) * BLOCK; number++) {
          const state = stateIn(block, number);
          if (state) yield state;
        }
      }
      if (rows.length < READ) return undefined;
    }
  }

  one(number: number): State | undefined {
    return stateIn(this.#blockOf(number, new Map()), number);
  }

  #blockOf(number: number, blocks: Map<number, Block>): Block {
    const place = Math.floor(number / BLOCK);
    const known = blocks.get(place);
    if (known) return known;
    const row = this.#prepared.get.get(place);
    const block = row
      ? readBlock(place, row)
      : { numbers: new Float64Array(BLOCK * STATE_NUMBERS), sources: new Map() };
    blocks.set(place, block);
    return block;
  }

  get #prepared(): Statements {
    this.#statements ??= {
      get: this.#sql.prepare(`SELECT * FROM ${this.#table} WHERE block = ?`),
      put: this.#sql.prepare(`REPLACE INTO ${this.#table} VALUES (?, ?, ?, ?)`),
      remove: this.#sql.prepare(`DELETE FROM ${this.#table} WHERE block = ?`),
    };
    return this.#statements;
  }
}

/** Index of a message's state in its block. */
function slotOf(number: number): number {
  return (number % BLOCK) * STATE_NUMBERS;
}

function stateIn({ numbers, sources }: Block, number: number): State | undefined {
  return unpackState(number, numbers, slotOf(number), sources.get(number));
}

function rowOf(place: number, { numbers, sources }: Block) {
  const bytes = new Uint8Array(numbers.buffer);
  const list = sources.size > 0 ? JSON.stringify([...sources]) : null;
  return [bytes, list, checksum(place, bytes, list)] as const;
}

function readBlock(place: number, { states, sources, checksum: kept }: Row): Block {
  const list = typeof sources === 'string' ? sources : null;
  const isWhole =
    states instanceof Uint8Array && states.length === BLOCK * STATE_NUMBERS * BYTES_PER_NUMBER;
  if (!isWhole || kept !== checksum(place, states, list)) {
    const [first, last] = [place * BLOCK, (place + 1) * BLOCK - 1];
    throw new Damage(`the state of messages ${first} to ${last} is corrupt`);
  }
  // A copy: SQLite's own bytes may not be aligned.
  return {
    numbers: new Float64Array(new Uint8Array(states).buffer),
    sources: new Map(list === null ? [] : JSON.parse(list)),
  };
}

type Row = ReturnType<StatementSync['all']>[number];

const BYTES_PER_NUMBER = Float64Array.BYTES_PER_ELEMENT;

function checksum(place: number, bytes: Uint8Array, sources: string | null): number {
  return crc32(bytes, crc32(`${place}\0${sources}`));
}
