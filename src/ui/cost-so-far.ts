import type { Cost } from '../planning/cost.ts';
import type { LiveRun } from './protocol.ts';

/** Share of the inputs from which the cost of all is told: the first workers cost before they work. */
const LEAST_SHARE = 0.1;

/** The cost of a run so far, and in all by the share of its inputs that are done. */
export function costSoFar(
  cost: Cost | undefined,
  done: number,
  all: number | undefined,
): Pick<LiveRun, 'usd' | 'usdInAll'> {
  const usd = cost?.usd;
  const share = all ? done / all : 0;
  const isTold = usd !== undefined && share >= LEAST_SHARE;
  return { usd, usdInAll: isTold ? usd / share : undefined };
}
