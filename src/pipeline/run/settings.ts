import type { CostLimit } from '../messages/cost-limit.ts';
import type { Outage } from '../messages/failing.ts';
import type { Bounds } from '../messages/flow.ts';
import type { RateText } from '../messages/rate.ts';
import type { RunTags } from './tags.ts';

/** What holds for a run, and can be changed while it goes on. */
export interface RunSettings {
  /** Most inputs that execute at once; undefined without this bound. */
  concurrency: number | undefined;
  /** Most attempts that start, such as `100/s`; undefined without this bound. */
  rate: RateText | undefined;
  /** When the run was paused, in milliseconds since 1970; undefined if it goes on. */
  pausedAt: number | undefined;
  /**
   * Why and since when the run has paused itself, and runs single inputs only, until they succeed;
   * undefined if it has not.
   */
  outage: Outage | undefined;
  /** Deadline of the run, in milliseconds since 1970; undefined if it is not known. */
  expiresAt: number | undefined;
  /** What the run may cost; undefined without a limit. */
  costLimit?: CostLimit | undefined;
}

export function settingsOf({ flow, pausedAt, outage, expiresAt, costLimit }: RunTags): RunSettings {
  const { concurrency, rate }: Bounds = flow === undefined || flow === 'none' ? {} : flow;
  // 0 once it goes on.
  const going = { pausedAt: pausedAt || undefined, outage: outage === 'none' ? undefined : outage };
  const limit = costLimit === 'none' ? undefined : costLimit;
  return { concurrency, rate, ...going, expiresAt, ...(limit && { costLimit: limit }) };
}
