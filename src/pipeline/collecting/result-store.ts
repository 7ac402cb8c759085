import type { BegunNotice } from '../messages/notice.ts';
import type { RunBill } from '../run/run-bill.ts';
import type { EndReason } from './phase.ts';
import { type Received, VISIBILITY_SECONDS } from './result-receiver.ts';
import type { RunStatistics } from './run-statistics.ts';

/**
 * Where a run's consumer stores results, a part at a time. The messages of results are deleted once
 * the store says so, and the run's queue stays when the run ends: the store's owner deletes it.
 */
export interface ResultStore {
  /** Whether the run had another collector before this one. */
  readonly isSuccessor: boolean;
  /** Whether another collector is known to have replaced this one. */
  readonly isReplaced: boolean;
  /**
   * Notices of inputs that a worker began, which tell poison inputs. The run adds those that it
   * receives, for the collectors that follow.
   */
  readonly begun: BegunNotice[];
  /** What the run has used so far, also as far as earlier collectors knew. */
  readonly bill: RunBill | undefined;
  /** Statistics of all results so far, also of those that earlier collectors took. */
  readonly statistics: RunStatistics;
  /**
   * The results of these messages were taken. Once they are stored, the store calls `acknowledge`,
   * which deletes the messages.
   */
  taken(received: Received, acknowledge: (received: Received) => void): void;
  /**
   * The run ends early. Inputs without a result are entered in the ledger, and their results are
   * taken after that: until all are, what is stored must not claim them.
   */
  ending(why: EndReason): void;
  /**
   * Stores what was taken. Called when no further result is received, before the messages that are
   * not acknowledged become visible again.
   */
  flush(): Promise<void>;
}

/**
 * Visibility timeout of messages whose results are stored, in seconds: a part takes up to a minute
 * to fill, and is then written.
 */
const STORED_VISIBILITY_SECONDS = 180;

/** Visibility timeout of messages that a collector receives, in seconds. */
export function visibilityOf(store: ResultStore | undefined): number {
  return store ? STORED_VISIBILITY_SECONDS : VISIBILITY_SECONDS;
}
