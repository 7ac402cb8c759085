import { FanfoldError, messageOf } from '../../../errors.ts';
import type { Accounts } from '../engine/accounts.ts';
import { DirtySet } from '../engine/dirty-set.ts';
import type { Queue } from '../engine/queue.ts';
import type { Keeper } from '../engine/queues.ts';
import { type Moment, ServiceTime } from '../service-time.ts';
import { type Batch, dropOf, type QueueWrite, writeOf } from './batch.ts';
import { type Opened, openDatabase } from './database.ts';
import { Loading } from './loading.ts';
import { QueueTables } from './queue-tables.ts';
import { fullNameOf } from './rows.ts';
import { type StoredQueue, undo } from './undo.ts';
import { Writer } from './writer.ts';

/** The changes of one queue that a commit writes. */
interface QueueDelta {
  readonly tracked: StoredQueue;
  readonly numbers: Iterable<number>;
  readonly cleared: boolean;
}

/** The write in progress, and the promise that its requests wait for. */
interface Commit {
  readonly parts: readonly QueueDelta[];
  readonly waiting: PromiseWithResolvers<void>;
}

/** Interval between checks of the wall clock: the next start must know whether it was set. */
const CLOCK_CHECK_MS = 60_000;

export interface StoreOptions {
  /**
   * Called when writes start to fail, for example on a full disk, and when they succeed again.
   * @default a process warning
   */
  onWarning?: (message: string) => void;
}

/**
 * Stores an SQS's queues in a folder. While the process lives, the queues in memory are the source
 * of truth. A separate thread writes all changes since the last transaction in the next one, and
 * syncs once, however many requests made them. Each request is answered once its change is on disk
 * (`kept`); meanwhile others are processed. A change is
 *
 *   made in memory -> on its way -> on disk: answered
 *                                -> undone:  refused    (for example when the disk is full)
 *
 * Undoing a change restores memory to what is on disk. Later changes are undone with it, since they
 * may build on it.
 */
export class Store implements Keeper {
  readonly #opened: Opened;
  readonly #warn: (message: string) => void;
  readonly #tracked = new Map<DirtySet, StoredQueue>();
  readonly #changed = new Set<DirtySet>();
  #accounts: Accounts | undefined;
  #writer: Writer | undefined;
  #onUndone: (now: number) => void = () => {};
  #time = new ServiceTime();
  /** The moment of the last successful write. */
  #moment: Moment | undefined;
  #clockCheck: NodeJS.Timeout | undefined;
  #lastId = 0;
  #flight: Commit | undefined;
  /** For requests whose changes are not being written yet. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #next: NodeJS.Immediate | undefined;
  #end: string | undefined;
  #isFailing = false;

  constructor(
    opened: Opened,
    { onWarning = (message) => process.emitWarning(message, 'FanfoldWarning') }: StoreOptions,
  ) {
    this.#opened = opened;
    this.#warn = onWarning;
  }

  /** Why the store accepts no more requests; undefined while it works. */
  get end(): string | undefined {
    return this.#end;
  }

  /**
   * Restores the stored queues; throws if stored data is damaged.
   *
   * @param onUndone called after a failed write, when queues are back in their stored state
   */
  load(accounts: Accounts, onUndone: (now: number) => void, time: ServiceTime): void {
    const { folder, sql } = this.#opened;
    if (this.#accounts || this.#end) {
      const message = `The store in ${folder} is closed, or another Sqs uses it: open it again.`;
      throw new FanfoldError('BadOption', message);
    }
    this.#accounts = accounts;
    this.#onUndone = onUndone;
    this.#time = time;
    const loading = new Loading(sql, accounts, time);
    try {
      this.#moment = loading.resumeTime();
      loading.checkOwner(folder);
      loading.load((id, queue, lastNumber) => {
        const tracked = this.#track(id, queue);
        tracked.kept = { isKept: true, lastNumber };
        tracked.written = tracked.kept;
        return tracked;
      });
      loading.check(folder);
    } catch (error) {
      this.#end = messageOf(error);
      this.#opened.close(error instanceof FanfoldError && error.code === 'DamagedStore');
      throw error;
    }
    this.#writer = new Writer(folder);
    this.#clockCheck = setInterval(() => this.#writeSoon(), CLOCK_CHECK_MS).unref();
  }

  track(): DirtySet {
    return new DirtySet((changes) => {
      this.#changed.add(changes);
      this.#writeSoon();
    });
  }

  created(queue: Queue): void {
    this.#track(this.#lastId + 1, queue).changes.mark();
  }

  deleted(queue: Queue, now: number): void {
    const tracked = queue.changes && this.#tracked.get(queue.changes);
    if (tracked === undefined) return;
    tracked.deletedAt = now;
    tracked.changes.mark();
  }

  /**
   * Resolves once all changes so far are on disk, and rejects if they could not be written;
   * undefined if they are on disk already.
   */
  kept(): Promise<void> | undefined {
    if (this.#changed.size === 0) return this.#flight?.waiting.promise;
    this.#waiting ??= waiting();
    return this.#waiting.promise;
  }

  /** Writes the remaining changes, then releases the folder for other processes. */
  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#end = 'It is closed.';
    clearInterval(this.#clockCheck);
    if (this.#flight === undefined) this.#write();
    await this.kept()?.catch(() => {});
    await this.#writer?.close();
    this.#writer = undefined;
    this.#opened.close();
  }

  #track(id: number, queue: Queue): StoredQueue {
    const { changes } = queue;
    if (changes === undefined) throw new Error(`The queue "${queue.name}" belongs to another Sqs.`);
    this.#lastId = Math.max(this.#lastId, id);
    const tables = new QueueTables(this.#opened.sql, id);
    const none = { isKept: false, lastNumber: 0 };
    const tracked = { id, queue, changes, tables, kept: none, written: none, deletedAt: undefined };
    this.#tracked.set(changes, tracked);
    return tracked;
  }

  /** Writes in one batch all changes of this turn of the event loop. */
  #writeSoon(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      if (this.#flight === undefined) this.#write();
    });
  }

  #write(): void {
    const writer = this.#writer;
    const own = this.#accounts?.own.owner;
    if (writer === undefined || own === undefined) return;
    const isClockSet = this.#moment !== undefined && this.#time.isSetSince(this.#moment);
    if (this.#changed.size === 0 && !isClockSet) return;
    const parts: QueueDelta[] = [];
    const queues: QueueWrite[] = [];
    const deletions: [name: string, at: number][] = [];
    for (const changes of this.#changed) {
      const tracked = this.#tracked.get(changes);
      if (tracked === undefined) continue;
      const { id, queue, written, deletedAt } = tracked;
      const name = fullNameOf(queue, own);
      parts.push({ tracked, numbers: changes.messages.keys(), cleared: changes.cleared });
      if (deletedAt === undefined) queues.push(writeOf(id, name, queue, changes, written));
      else {
        deletions.push([name, deletedAt]);
        if (written.isKept) queues.push(dropOf(id));
      }
      tracked.written = { isKept: deletedAt === undefined, lastNumber: queue.lastNumber };
      changes.reset();
    }
    this.#changed.clear();
    const flight = { parts, waiting: this.#waiting ?? waiting() };
    this.#waiting = undefined;
    this.#flight = flight;
    const { moment } = this.#time;
    const batch: Batch = { queues, deletions, moment };
    writer.write(batch, ({ fault }) => {
      this.#flight = undefined;
      if (fault !== undefined) {
        this.#fail(flight, fault);
        return;
      }
      this.#moment = moment;
      this.#succeed(flight);
    });
  }

  #succeed({ parts, waiting }: Commit): void {
    for (const { tracked } of parts) {
      tracked.kept = tracked.written;
      if (tracked.deletedAt !== undefined && !tracked.kept.isKept) {
        this.#tracked.delete(tracked.changes);
      }
    }
    if (this.#isFailing) this.#warn(`Changes are stored in ${this.#opened.folder} again.`);
    this.#isFailing = false;
    waiting.resolve();
    this.#write();
  }

  #fail({ parts, waiting }: Commit, fault: string): void {
    const { folder, sql } = this.#opened;
    const error = new Error(`${fault}, in ${folder}.`);
    if (!this.#isFailing) {
      this.#warn(
        `Changes cannot be stored in ${folder}: ${fault}. Requests are refused until they can.`,
      );
    }
    this.#isFailing = true;
    for (const { tracked, numbers, cleared } of parts) {
      tracked.changes.giveBack(numbers, cleared);
      this.#changed.add(tracked.changes);
    }
    const all = [...this.#changed].flatMap((changes) => this.#tracked.get(changes) ?? []);
    this.#changed.clear();
    const { now } = this.#time;
    try {
      if (this.#writer?.hasEnded) throw error;
      const accounts = this.#accounts;
      if (accounts === undefined) throw error;
      for (const { changes } of undo(all, accounts, sql, now)) this.#tracked.delete(changes);
    } catch (cause) {
      this.#end = `The store in ${folder} can no longer be used: ${messageOf(cause)}`;
      this.#warn(this.#end);
    }
    waiting.reject(error);
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#onUndone(now);
  }
}

/** Its rejection counts as handled: there may be no request that waits for it. */
function waiting(): PromiseWithResolvers<void> {
  const settled = Promise.withResolvers<void>();
  settled.promise.catch(() => {});
  return settled;
}

/**
 * Opens a folder to store the queues of an `Sqs` in, and creates it if it does not exist. Only one
 * process can have it open. Pass the store to an `Sqs`, which closes it when it is closed itself:
 *
 * ```ts
 * const sqs = new Sqs({ store: openStore('.fanfold') });
 * ```
 *
 * @throws FanfoldError `StoreInUse` if another process has the folder open; `DamagedStore` if
 *   stored data differs from what was written, which `new Sqs` may find as well; `BadOption` if
 *   others can change the folder or its content
 */
export function openStore(folder: string, options: StoreOptions = {}): Store {
  return new Store(openDatabase(folder), options);
}
