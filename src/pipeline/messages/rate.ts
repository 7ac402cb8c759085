import { FanfoldError, valueText } from '../../errors.ts';

/** Units of time of a rate, in milliseconds. */
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

type Unit = keyof typeof UNIT_MS;

/** A rate, such as `100/s`: attempts that may start in a second, a minute (`m`) or an hour (`h`). */
export type RateText = `${number}/${Unit}`;

/** The largest concurrency, and the largest rate a second. */
export const MAX_CONCURRENCY = 100_000;

/** Units in the window over which a rate is a strict bound. */
export const WINDOW_UNITS = 10;

/**
 * Pause between two starts of a run from which its rate is slow, in milliseconds. The window of such
 * a rate must have minutes: a second of it is then less than the margin.
 */
const SLOW_PAUSE_MS = 1_000;

export interface Rate {
  /** Attempts in a unit. */
  count: number;
  unitMs: number;
}

/**
 * The parts of a rate.
 *
 * @param what the rate, as a message names it
 * @throws FanfoldError `BadOption`
 */
export function parsedRate(text: unknown, what = 'A rate'): Rate {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(String(text)) ?? [];
  if (typeof text !== 'string' || number === '') {
    throw new FanfoldError(
      'BadOption',
      `${what} must be like "100/s", "20/m" or "5/h", for a second, a minute or an hour; got ${valueText(text)}.`,
    );
  }
  const rate = { count: Number(number), unitMs: UNIT_MS[unit as Unit] };
  const perSecond = (rate.count * 1_000) / rate.unitMs;
  if (perSecond > MAX_CONCURRENCY || perSecond * UNIT_MS.h < 1_000) {
    throw new FanfoldError(
      'BadOption',
      `${what} must be from 1/h, one an hour, to ${MAX_CONCURRENCY}/s; got ${valueText(text)}.`,
    );
  }
  if (allowed(rate) < 1) {
    throw new FanfoldError(
      'BadOption',
      `${what} must allow at least one start in ten of its units; got "${text}". Use a longer unit, such as "${rate.count * 60}/${unit === 's' ? 'm' : 'h'}".`,
    );
  }
  return rate;
}

/** Starts that a rate allows in its window. */
export function allowed({ count }: Rate): number {
  // A decimal such as 0.3 must not allow one less than it says.
  return Math.floor(count * WINDOW_UNITS + 1e-9);
}

/** Milliseconds between two starts of a run. */
export function pauseOfRate({ count, unitMs }: Rate): number {
  return unitMs / count;
}

/** Whether SQS can hide messages between two starts. */
export function isSlow(rate: Rate): boolean {
  return rate.unitMs >= UNIT_MS.m && pauseOfRate(rate) >= SLOW_PAUSE_MS;
}
