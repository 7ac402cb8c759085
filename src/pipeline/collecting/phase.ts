import { count, messageOf } from '../../errors.ts';
import { moneyText } from '../../planning/money.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Remainder, Unfinished } from './unfinished.ts';

/** The last results of a run that ended early. */
export interface Last {
  /** Results that were in its queue. */
  batches: ResultBatch[];
  /** Inputs that had no result. */
  remaining: Unfinished;
  /** Whether the run may have further, unknown inputs, because its seeder never finished. */
  isShort: boolean;
}

/** Reason why a run ended early. An `error` is thrown to the run's consumer. */
export type EndReason =
  | { is: 'cancelled' }
  | { is: 'deadline' }
  | { is: 'queueDeleted' }
  | { is: 'failureBudget'; failed: number }
  | { is: 'costLimit'; usd: number; reachedUsd: number; roomUsd: number }
  | { is: 'error'; error: unknown };

/**
 * The state of a run. `open` is the first; the others are final, and the first one reached wins.
 *
 * - `open`: inputs are seeded and results are collected.
 * - `complete`: the run is sealed and its ledger balances. It is listed as ended, and its queue is
 *   deleted.
 * - `ended`: the run ended early, for a reason. Its queue is drained and deleted. Each input
 *   without a result ends `failed` at the deadline, otherwise `cancelled`. `last` resolves with
 *   these results.
 * - `left`: the collector left, with or without a failure. The queue stays, and the run can be
 *   resumed or collected from elsewhere.
 */
export type Phase =
  | { is: 'open' }
  | { is: 'complete' }
  | { is: 'ended'; why: EndReason; last: Promise<Last> }
  | { is: 'left'; failure: { error: unknown } | undefined };

/**
 * Throws the error that a run's consumer gets. A store gets the last results instead, with the reason
 * beside them.
 */
export function throwFailure(phase: Phase, store: object | undefined): void {
  if (phase.is === 'left' && phase.failure) throw phase.failure.error;
  if (phase.is !== 'ended' || phase.why.is !== 'error') return;
  if (!store) throw phase.why.error;
}

/** Outcome of the inputs without a result. */
export function remainderOf(why: EndReason): Remainder {
  return why.is === 'deadline' ? 'lost' : 'cancelled';
}

/** The reason in words that continue "the run ended early: ". */
export function causeOf(why: EndReason): string {
  switch (why.is) {
    case 'cancelled':
      return 'it was cancelled';
    case 'deadline':
      return 'it reached its deadline';
    case 'queueDeleted':
      return 'its result queue was deleted';
    case 'failureBudget':
      return `${count(why.failed, 'input')} failed, more than \`maxFailures\` allows`;
    case 'costLimit': {
      const [limit, metered, room] = [why.usd, why.reachedUsd, why.roomUsd].map(moneyText);
      return `it reached its cost limit of ${limit}: ${metered} was metered, and ${room} was left for what was in flight`;
    }
    case 'error':
      return messageOf(why.error);
  }
}
