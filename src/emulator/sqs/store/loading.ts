import { FanfoldError, messageOf } from '../../../errors.ts';
import type { Database } from '../../sqlite.ts';
import type { Accounts } from '../engine/accounts.ts';
import type { Message } from '../engine/message.ts';
import type { Queue } from '../engine/queue.ts';
import type { Moment, ServiceTime } from '../service-time.ts';
import { Damage } from './damage.ts';
import { damaged } from './database.ts';
import type { QueueTables } from './queue-tables.ts';
import { listQueues, readDeletions, readMemories, readMoment, readQueueOf } from './reading.ts';
import { readFullName } from './rows.ts';

interface Loaded {
  readonly queue: Queue;
  readonly tables: QueueTables;
}

/** Restores the stored queues, and collects all damage instead of stopping at the first. */
export class Loading {
  readonly #sql: Database;
  readonly #accounts: Accounts;
  readonly #time: ServiceTime;
  readonly #faults: string[] = [];

  constructor(sql: Database, accounts: Accounts, time: ServiceTime) {
    this.#sql = sql;
    this.#accounts = accounts;
    this.#time = time;
  }

  /** Resumes the service time from the last write. @returns the moment of that write */
  resumeTime(): Moment | undefined {
    let kept: Moment | undefined;
    this.#attempt('the time of its last write', () => {
      kept = readMoment(this.#sql);
    });
    if (kept) this.#time.resume(kept);
    return kept;
  }

  /** Refuses a store of another account or region: stored names omit the store's own. */
  checkOwner(folder: string): void {
    const { accountId, region } = this.#accounts.own.owner;
    const owner = `account ${accountId} in ${region}`;
    this.#sql.prepare("INSERT OR IGNORE INTO about VALUES ('owner', ?)").run(owner);
    const kept = this.#sql.prepare("SELECT value FROM about WHERE key = 'owner'").get()?.value;
    if (kept === owner) return;
    const message = `The store in ${folder} belongs to ${kept}, and this SQS to ${owner}: use the same account and region, or another folder.`;
    throw new FanfoldError('BadOption', message);
  }

  /** @param track called with each queue before its messages are restored */
  load(track: (id: number, queue: Queue, lastNumber: number) => Loaded): void {
    const loaded = new Map<number, Queue>();
    this.#attempt('the list of queues', () => {
      const own = this.#accounts.own.owner;
      for (const [fullName, at] of readDeletions(this.#sql)) {
        const { name, owner } = readFullName(fullName, own);
        this.#accounts.of(owner).restoreDeletion(name, at);
      }
      for (const { id, name } of listQueues(this.#sql)) {
        this.#attempt(`the queue "${name}"`, () => {
          const { kept, messages } = readQueueOf(this.#sql, id, own);
          const queue = this.#accounts.of(kept.owner).restore(kept);
          loaded.set(id, queue);
          const { tables } = track(id, queue, kept.lastNumber);
          loadMessages(queue, tables, messages, this.#time.now);
        });
      }
    });
    this.#attempt('the remembered deduplication and receive attempt ids', () => {
      for (const [id, memories] of readMemories(this.#sql, this.#time.now)) {
        for (const memory of memories) loaded.get(id)?.recent.restore(memory);
      }
    });
  }

  check(folder: string): void {
    if (this.#faults.length > 0) throw damaged(folder, this.#faults.join('; '));
  }

  #attempt(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#faults.push(`${what}: ${messageOf(error)}`);
    }
  }
}

/** @param count expected number of messages */
export function loadMessages(queue: Queue, tables: QueueTables, count: number, now: number): void {
  for (const message of inOrder(queue, tables.read(queue.owner.accountId), now)) {
    queue.restoreMessage(message, false, now);
  }
  if (queue.messageCount === count) return;
  throw new Damage(`it had ${count} messages, and ${queue.messageCount} are left`);
}

/**
 * The order in which to restore messages. On a standard queue that is the order in which they
 * became visible, which can differ from the order in which they were sent.
 */
function inOrder(queue: Queue, messages: Iterable<Message>, now: number): Iterable<Message> {
  if (queue.isFifo) return messages;
  const all = [...messages];
  for (const message of all) {
    if (message.state !== 'visible' && message.stateEndsAt <= now) message.state = 'visible';
  }
  // Almost sorted already. On a tie, messages that became visible by a deadline come first: their
  // deadline passed before the others were sent.
  return all.sort(
    (one, other) => visibleSince(one) - visibleSince(other) || other.stateEndsAt - one.stateEndsAt,
  );
}

/** When a message became visible; 0, the front of the queue, if it was taken back. */
function visibleSince({ receipt, stateEndsAt, sentAt }: Message): number {
  return receipt > 0 || stateEndsAt > 0 ? stateEndsAt : sentAt;
}
