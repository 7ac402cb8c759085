import type { Database } from '../../sqlite.ts';
import type { KeptQueue, Memory, Owner } from '../engine/queue-state.ts';
import type { Moment } from '../service-time.ts';
import { Damage } from './damage.ts';
import { momentText, readCounts, readMemory, readQueue, type Value } from './rows.ts';

/** A stored queue without its messages, and how many messages it had. */
export interface ReadQueue {
  readonly kept: KeptQueue;
  readonly messages: number;
}

/** Lists the stored queues. Their names are not checked yet. */
export function listQueues(sql: Database): { id: number; name: string }[] {
  const queues = sql.prepare('SELECT id, name FROM queues ORDER BY id').all();
  const tables = sql
    .prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'messages\\_%' ESCAPE '\\'")
    .all();
  const ids = new Set(queues.map(({ id }) => `messages_${id}`));
  const stray = tables.find(({ name }) => !ids.has(String(name)));
  if (stray) throw new Damage(`the table ${stray.name} belongs to no queue`);
  return queues.map(({ id, name }) => ({ id: Number(id), name: String(name) }));
}

/** @param own the account and region that the store belongs to */
export function readQueueOf(sql: Database, id: number, own: Owner): ReadQueue {
  const [row] = rows(sql, 'SELECT * FROM queues WHERE id = ?', id);
  const [counts] = rows(sql, 'SELECT * FROM counts WHERE queue = ?', id);
  if (row === undefined || counts === undefined) throw new Damage('it is missing');
  const { lastNumber, messages } = readCounts(counts);
  return { kept: readQueue(row, lastNumber, own), messages };
}

/** Names of deleted queues and when they were deleted, earliest first. */
export function readDeletions(sql: Database): [name: string, at: number][] {
  return rows(sql, 'SELECT * FROM deletions ORDER BY deleted_at').map(([name, at]) => [
    String(name),
    Number(at),
  ]);
}

/** The unexpired memories of each queue, by its id, oldest first. */
export function readMemories(sql: Database, now: number): Map<number, Memory[]> {
  const all = sql.prepare('SELECT * FROM memories ORDER BY place');
  all.setReturnArrays(true);
  const byQueue = new Map<number, Memory[]>();
  for (const row of all.iterate() as unknown as Iterable<Value[]>) {
    const memory = readMemory(row);
    if (memory.endsAt <= now) continue;
    const queue = Number(row[1]);
    const known = byQueue.get(queue);
    if (known) known.push(memory);
    else byQueue.set(queue, [memory]);
  }
  return byQueue;
}

export function readMemoriesOf(sql: Database, queue: number): Memory[] {
  return rows(sql, 'SELECT * FROM memories WHERE queue = ? ORDER BY place', queue).map(readMemory);
}

/** The moment of the last write; undefined if nothing has been written yet. */
export function readMoment(sql: Database): Moment | undefined {
  const row = sql.prepare("SELECT value FROM about WHERE key = 'moment'").get();
  if (row === undefined) return undefined;
  const [time, wall] = String(row.value).split(' ').map(Number);
  if (time !== undefined && wall !== undefined && momentText({ time, wall }) === row.value) {
    return { time, wall };
  }
  throw new Damage('it is corrupt');
}

function rows(sql: Database, select: string, ...values: Value[]): Value[][] {
  const statement = sql.prepare(select);
  statement.setReturnArrays(true);
  return statement.all(...values) as unknown as Value[][];
}
