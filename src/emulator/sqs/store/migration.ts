import type { Database } from '../../sqlite.ts';
import type { MessageState } from '../engine/message.ts';
import { packStates, type State } from './packed-states.ts';
import { checkRow, type Value } from './rows.ts';
import { StateBlocks } from './state-blocks.ts';

/** Version of stores that have a row for each message's state. */
export const ROWS_VERSION = 1;

/** Number of states moved per query. */
const MOVED = 10_000;

/** Migrates a store from version 1 to the next in one transaction, so that it is all or nothing. */
export function putStatesIntoBlocks(sql: Database, version: number): void {
  const tables = sql
    .prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'states\\_%' ESCAPE '\\'")
    .all();
  sql.exec('BEGIN IMMEDIATE');
  try {
    for (const { name } of tables) moveStates(sql, String(name));
    sql.exec(`PRAGMA user_version = ${version}; COMMIT`);
  } catch (error) {
    if (sql.isTransaction) sql.exec('ROLLBACK');
    throw error;
  }
}

function moveStates(sql: Database, table: string): void {
  const blocks = new StateBlocks(sql, Number(table.slice('states_'.length)));
  blocks.create();
  const rows = sql.prepare(`SELECT * FROM ${table} WHERE number > ? ORDER BY number LIMIT ?`);
  rows.setReturnArrays(true);
  for (let last = 0; ; ) {
    const some = rows.all(last, MOVED) as unknown as Value[][];
    const states = some.map(readState);
    blocks.write(packStates(states), []);
    last = states.at(-1)?.number ?? 0;
    if (some.length < MOVED) break;
  }
  sql.exec(`DROP TABLE ${table}`);
}

function readState(row: readonly Value[]): State {
  checkRow(row, `the state of message ${row[0]}`);
  const number = (place: number) => Number(row[place]);
  return {
    number: number(0),
    state: row[1] as MessageState,
    stateEndsAt: number(2),
    receiveCount: number(3),
    receivedHere: number(4),
    receipt: number(5),
    firstReceivedAt: number(6),
    receivedAt: number(7),
    keptSince: number(8),
    deadLetterSourceArn: typeof row[9] === 'string' ? row[9] : undefined,
  };
}
