import { FanfoldError, valueText } from '../../errors.ts';

/** What a run may cost, as metered, in US dollars. */
export interface CostLimit {
  usd: number;
  /** Whether the run pauses at its limit. If not, it is cancelled. */
  pauses: boolean;
  /** What was metered when the run stopped at its limit; undefined until then. */
  reachedUsd?: number | undefined;
}

/** Options that limit what a run costs. */
export interface CostOptions {
  /**
   * Most that the run may cost, as metered, in US dollars. Before the meter passes it, the run is
   * cancelled: room is left for what is in flight.
   * @default no limit
   */
  maxCost?: number | undefined;
  /** Whether the run pauses at its `maxCost`, instead of being cancelled. @default false */
  pauseAtCost?: boolean | undefined;
}

const LEAST_USD = 0.0001;
const MOST_USD = 1_000_000;

interface Named {
  maxCost: string;
  pauseAtCost: string;
}

const NAMED: Named = { maxCost: '`maxCost`', pauseAtCost: '`pauseAtCost`' };

/**
 * The limit that options set; undefined without one.
 *
 * @throws FanfoldError `BadOption`
 */
export function costLimitOf(
  { maxCost, pauseAtCost = false }: { maxCost?: unknown; pauseAtCost?: unknown },
  named: Named = NAMED,
): CostLimit | undefined {
  if (typeof pauseAtCost !== 'boolean') {
    throw wrong(`${named.pauseAtCost} must be true or false; got ${valueText(pauseAtCost)}.`);
  }
  if (maxCost === undefined) {
    if (!pauseAtCost) return undefined;
    throw wrong(`${named.pauseAtCost} needs a limit: give ${named.maxCost} too.`);
  }
  if (typeof maxCost === 'number' && maxCost >= LEAST_USD && maxCost <= MOST_USD) {
    return { usd: maxCost, pauses: pauseAtCost };
  }
  throw wrong(
    `${named.maxCost} must be a number of US dollars from ${LEAST_USD} to ${MOST_USD}, such as 5 or 0.5; got ${valueText(maxCost)}.`,
  );
}

/** A limit as text that AWS allows in a tag, such as `usd=5 pauses reached=4.9`. */
export function costLimitText({ usd, pauses, reachedUsd }: CostLimit): string {
  const reached = reachedUsd === undefined ? [] : [`reached=${amount(reachedUsd)}`];
  return [`usd=${amount(usd)}`, ...(pauses ? ['pauses'] : []), ...reached].join(' ');
}

/** Reads such a text; undefined if it is none. */
export function readCostLimit(text: string | undefined): CostLimit | undefined {
  const [, usd, pauses, reached] =
    /^usd=(\d{1,9}\.\d{6})( pauses)?(?: reached=(\d{1,9}\.\d{6}))?$/.exec(text ?? '') ?? [];
  if (usd === undefined) return undefined;
  const reachedUsd = reached === undefined ? {} : { reachedUsd: Number(reached) };
  return { usd: Number(usd), pauses: pauses !== undefined, ...reachedUsd };
}

function amount(usd: number): string {
  return usd.toFixed(6);
}

function wrong(why: string): FanfoldError {
  return new FanfoldError('BadOption', why);
}
