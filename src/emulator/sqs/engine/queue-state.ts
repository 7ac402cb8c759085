/** An account and a region. Each pair has queues of its own, whose names may occur elsewhere. */
export interface Owner {
  readonly accountId: string;
  readonly region: string;
}

export function isSame(one: Owner, other: Owner): boolean {
  return one.accountId === other.accountId && one.region === other.region;
}

/** Status of a move task: it runs, and ends in one of three ways. */
export type MoveStatus = 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

/** A move of a dead-letter queue's messages, back to their sources or to one queue. */
export interface MoveTask {
  readonly handle: string;
  /** Undefined: each message goes back to its own source. */
  readonly destinationArn: string | undefined;
  readonly perSecond: number | undefined;
  readonly startedAt: number;
  /** Number of messages to move, counted at the start. */
  readonly toMove: number;
  readonly moved: number;
  readonly status: MoveStatus;
  readonly failure: string | undefined;
}

/** The answer to the sender of a message. */
export interface Sent {
  readonly id: string;
  readonly sequenceNumber: string | undefined;
}

/** A message, by its number, and the receipt that a receive returned for it. */
export interface Taken {
  readonly number: number;
  readonly receipt: number;
}

/** A temporary memory of a queue: a deduplication id, or the messages of a receive attempt. */
export type Memory = { readonly key: string; readonly endsAt: number } & (
  | { readonly sent: Sent }
  | { readonly taken: readonly Taken[] }
);

/** The stored data of a queue, without its messages. */
export interface KeptQueue {
  readonly name: string;
  readonly owner: Owner;
  readonly uid: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly purgedAt: number;
  readonly attributes: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  readonly moveTasks: readonly MoveTask[];
  /** Number of the message that was sent last. */
  readonly lastNumber: number;
}
