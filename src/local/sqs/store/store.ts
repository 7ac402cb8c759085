import { FanfoldError, messageOf } from '../../../errors.ts';
import { Changes, type Keeper } from '../engine/changes.ts';
import type { Queue } from '../engine/queue.ts';
import type { Queues } from '../engine/queues.ts';
import { RECREATE_SECONDS } from '../limits.ts';
import { Damage, faultOf } from './damage.ts';
import { damaged, type StoreDatabase } from './database.ts';
import { Memories } from './memories.ts';
import { QueueTable } from './queue-table.ts';
import { QueueTables } from './queue-tables.ts';

/** A queue, and how much of it is kept. */
interface Tracked {
  readonly id: number;
  readonly queue: Queue;
  readonly changes: Changes;
  readonly tables: QueueTables;
  isKept: boolean;
  /** Of the message that was kept last. */
  lastNumber: number;
  /** When it was deleted, if it was. */
  deletedAt: number | undefined;
}

/**
 * Keeps an SQS's queues in a folder. The queues in memory are the truth while they live. What has
 * changed of them is written in one transaction a turn of the event loop, and synced once, however
 * many requests have changed it; each is answered when that is done (`kept`). A change is
 *
 *   made in memory -> written -> answered
 *                  -> undone  -> refused    when it can't be written: the disk is full, say
 *
 * An undone change is as if it had never been asked for: memory is what the disk has.
 */
export class Store implements Keeper {
  readonly #database: StoreDatabase;
  readonly #queueTable: QueueTable;
  readonly #memories: Memories;
  readonly #tracked = new Map<Changes, Tracked>();
  readonly #changed = new Set<Changes>();
  #queues: Queues | undefined;
  #onUndone: (now: number) => void = () => {};
  #lastId = 0;
  #waiting: PromiseWithResolvers<void> | undefined;
  #writing: NodeJS.Immediate | undefined;
  /** Why nothing is kept any more. */
  #end: string | undefined;
  #isFailing = false;

  constructor(database: StoreDatabase) {
    this.#database = database;
    this.#queueTable = new QueueTable(database.sql);
    this.#memories = new Memories(database.sql);
  }

  get folder(): string {
    return this.#database.folder;
  }

  /** Why nothing can be asked for any more; undefined while all is well. */
  get end(): string | undefined {
    return this.#end;
  }

  /**
   * Makes the queues that are kept; throws when some of what was kept is damaged.
   *
   * @param onUndone called when queues have changed by themselves: they are again what they were
   */
  load(queues: Queues, onUndone: (now: number) => void, now: number): void {
    if (this.#queues || this.#end) {
      throw new FanfoldError(
        'BadOption',
        `The store in ${this.folder} is in use, or closed: open it again.`,
      );
    }
    this.#queues = queues;
    this.#onUndone = onUndone;
    const faults: string[] = [];
    const attempt = (what: string, act: () => void) => {
      try {
        act();
      } catch (error) {
        faults.push(`${what}, ${messageOf(error)}`);
      }
    };
    attempt('of its list of queues', () => {
      for (const [name, at] of this.#queueTable.deletions()) queues.restoreDeletion(name, at);
      for (const { id, name } of this.#queueTable.list()) {
        this.#lastId = Math.max(this.#lastId, id);
        attempt(`of the queue "${name}"`, () => this.#loadQueue(queues, id, now));
      }
    });
    attempt('of what FIFO queues remember', () => {
      const memories = this.#memories.load(now);
      for (const { id, queue } of this.#tracked.values()) {
        for (const memory of memories.get(id) ?? []) queue.fifo?.restore(memory);
      }
    });
    if (faults.length === 0) return;
    this.#end = 'It is damaged.';
    this.#database.close(true);
    throw damaged(this.folder, faults.join('; '));
  }

  track(): Changes {
    return new Changes((changes) => {
      this.#changed.add(changes);
      this.#writing ??= setImmediate(() => this.#write());
    });
  }

  created(queue: Queue): void {
    this.#add(queue, ++this.#lastId).changes.mark();
  }

  deleted(queue: Queue, now: number): void {
    const tracked = queue.changes && this.#tracked.get(queue.changes);
    if (tracked === undefined) return;
    tracked.deletedAt = now;
    tracked.changes.mark();
  }

  /**
   * Settles when all that has changed by now is on disk, and rejects when it could not be written;
   * undefined when it is on disk already.
   */
  kept(): Promise<void> | undefined {
    if (this.#changed.size === 0) return undefined;
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Keeps what has changed, and lets others open the folder. */
  close(): void {
    if (this.#end !== undefined) return;
    this.#write();
    this.#end = 'It is closed.';
    this.#database.close();
  }

  #add(queue: Queue, id: number): Tracked {
    const { changes } = queue;
    if (changes === undefined) throw new Error(`The queue "${queue.name}" is of another SQS.`);
    const tables = new QueueTables(this.#database.sql, id);
    const tracked = {
      id,
      queue,
      changes,
      tables,
      isKept: false,
      lastNumber: 0,
      deletedAt: undefined,
    };
    this.#tracked.set(changes, tracked);
    return tracked;
  }

  #loadQueue(queues: Queues, id: number, now: number): void {
    const { kept, messages } = this.#queueTable.read(id);
    const queue = queues.restore(kept);
    const tracked = this.#add(queue, id);
    tracked.isKept = true;
    tracked.lastNumber = kept.lastNumber;
    this.#loadMessages(queues, tracked, messages, now);
    tracked.changes.reset();
    this.#changed.delete(tracked.changes);
  }

  #loadMessages(queues: Queues, { queue, tables }: Tracked, count: number, now: number): void {
    for (const message of tables.read(queues.accountId)) queue.restoreMessage(message, false, now);
    if (queue.messageCount === count) return;
    throw new Damage(`it had ${count} messages, and ${queue.messageCount} are there`);
  }

  #write(): void {
    clearImmediate(this.#writing);
    this.#writing = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (this.#end !== undefined || this.#changed.size === 0) return;
    try {
      this.#database.transaction(() => {
        for (const changes of this.#changed) this.#writeChanges(changes);
        this.#memories.forget(Date.now());
      });
    } catch (error) {
      this.#fail(error);
      waiting?.reject(error);
      return;
    }
    for (const changes of this.#changed) this.#settle(changes);
    this.#changed.clear();
    this.#isFailing = false;
    waiting?.resolve();
  }

  #writeChanges(changes: Changes): void {
    const tracked = this.#tracked.get(changes);
    if (tracked === undefined) return;
    const { id, queue, tables, isKept, lastNumber, deletedAt } = tracked;
    if (deletedAt !== undefined) {
      if (isKept) {
        tables.drop();
        this.#queueTable.remove(id);
        this.#memories.removeOf(id);
      }
      const forgetBefore = deletedAt - RECREATE_SECONDS * 1000;
      this.#queueTable.addDeletion(queue.name, deletedAt, forgetBefore);
      return;
    }
    if (!isKept) tables.create();
    if (changes.cleared) this.#memories.removeOf(id);
    tables.write(changes, lastNumber);
    this.#memories.write(id, changes.memories);
    this.#queueTable.write(id, queue);
  }

  /** All of it is kept. */
  #settle(changes: Changes): void {
    changes.reset();
    const tracked = this.#tracked.get(changes);
    if (tracked === undefined) return;
    tracked.isKept = true;
    tracked.lastNumber = tracked.queue.lastNumber;
    if (tracked.deletedAt !== undefined) this.#tracked.delete(changes);
  }

  /** Makes all that has changed what it is on disk. */
  #fail(error: unknown): void {
    if (!this.#isFailing) {
      this.#isFailing = true;
      const what = faultOf(error) === 'full' ? 'its disk is full' : messageOf(error);
      process.emitWarning(`Nothing can be kept in ${this.folder}: ${what}. Requests are refused.`);
    }
    const now = Date.now();
    try {
      // Those that were not to be there go first: they may have a name that another is to have.
      const changed = [...this.#changed];
      for (const changes of changed) this.#uncreate(changes);
      for (const changes of changed) this.#undo(changes, now);
    } catch (cause) {
      this.#end = `What is kept in ${this.folder} can't be read: ${messageOf(cause)}.`;
      process.emitWarning(this.#end);
    }
    this.#changed.clear();
    this.#onUndone(now);
  }

  #uncreate(changes: Changes): void {
    const tracked = this.#tracked.get(changes);
    if (tracked === undefined || tracked.isKept) return;
    this.#queues?.forget(tracked.queue);
    this.#tracked.delete(changes);
  }

  #undo(changes: Changes, now: number): void {
    const tracked = this.#tracked.get(changes);
    const queues = this.#queues;
    if (tracked === undefined || queues === undefined) return;
    const { id, queue, tables, lastNumber, deletedAt } = tracked;
    if (deletedAt !== undefined) queues.undelete(queue);
    tracked.deletedAt = undefined;
    const { kept, messages } = this.#queueTable.read(id);
    if (changes.cleared) {
      queue.forget(undefined, now);
      this.#loadMessages(queues, tracked, messages, now);
    } else {
      // From the last to the first, since each is put before all others.
      for (const number of [...changes.messages.keys()].sort((a, b) => b - a)) {
        queue.forget(number, now);
        if (number > lastNumber) continue;
        queue.restoreMessage(tables.readOne(number, queues.accountId), true, now);
      }
    }
    queue.restore(kept);
    queue.fifo?.clear();
    for (const memory of this.#memories.of(id)) queue.fifo?.restore(memory);
    changes.reset();
    queues.onChange(queue);
  }
}
