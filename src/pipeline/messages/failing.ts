import { FanfoldError, valueText } from '../../errors.ts';
import type { Flow } from './flow.ts';
import { parsedRate, pauseOfRate, type RateText } from './rate.ts';

/** Units of a duration, in seconds. */
const UNIT_SECONDS = { s: 1, m: 60, h: 3_600 } as const;

type Unit = keyof typeof UNIT_SECONDS;

/** A share of inputs that fail within a duration, such as `50%/1m`; the units are `s`, `m`, `h`. */
export type FailingText = `${number}%/${number}${Unit}`;

/** The share of inputs that must fail, within a time, for their run to pause itself. */
export interface FailingLimit {
  /** Over 0, and 1 at most. */
  share: number;
  seconds: number;
}

/** An outage, for which a run has paused itself. */
export interface Outage {
  /** When the run paused itself, in milliseconds since 1970. */
  since: number;
  /** What failed, such as `63 % of 412 inputs failed within 1m, last: Error: socket hang up`. */
  reason: string;
}

/** Longest duration, a day. */
const MAX_SECONDS = 86_400;

/** Pauses between two probes of an outage, of each duration in which its inputs failed. */
const PROBES = 10;

/** Shortest and longest pause between two probes, in seconds. */
const SHORTEST_SECONDS = 1;
const LONGEST_SECONDS = 60;

/**
 * The parts of a limit.
 *
 * @param what the limit, as a message names it
 * @throws FanfoldError `BadOption`
 */
export function parsedFailing(text: unknown, what = '`pauseWhenFailing`'): FailingLimit {
  const parts = /^(\d+(?:\.\d+)?)%\/(\d+(?:\.\d+)?)([smh])$/.exec(String(text)) ?? [];
  const [, percent = '', number = '', unit = ''] = parts;
  if (typeof text !== 'string' || percent === '') {
    throw new FanfoldError(
      'BadOption',
      `${what} must be a share of inputs and a time, like "50%/1m", "20%/30s" or "90%/1h"; got ${valueText(text)}.`,
    );
  }
  const limit = {
    share: Number(percent) / 100,
    seconds: Number(number) * UNIT_SECONDS[unit as Unit],
  };
  if (limit.share <= 0 || limit.share > 1) {
    throw new FanfoldError(
      'BadOption',
      `${what} must have a share over 0% and at most 100%; got "${text}".`,
    );
  }
  if (limit.seconds < 1 || limit.seconds > MAX_SECONDS) {
    throw new FanfoldError('BadOption', `${what} must have a time from 1s to 24h; got "${text}".`);
  }
  return limit;
}

/**
 * @param name the option, as a message names it
 * @throws FanfoldError `BadOption`
 */
export function checkFailing(value: unknown, name?: string): void {
  if (value !== undefined) parsedFailing(value, name);
}

/** Whether a value is a limit, as a message or a tag carries it. */
export function isFailing(value: unknown): value is FailingText {
  try {
    parsedFailing(value);
    return true;
  } catch {
    return false;
  }
}

/** Seconds between two probes during an outage. */
export function probeSeconds(text: FailingText): number {
  const seconds = Math.round(parsedFailing(text).seconds / PROBES);
  return Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, seconds));
}

/**
 * The flow of a run during an outage: one input at a time, and few.
 *
 * @param own the run's own rate, which still holds
 */
export function probingFlow(text: FailingText = '50%/1m', own?: RateText): Flow {
  const probes: RateText = `${Number((60 / probeSeconds(text)).toFixed(3))}/m`;
  const [pauseMs, ownMs] = [probes, own ?? probes].map((rate) => pauseOfRate(parsedRate(rate)));
  const rate = Number(ownMs) > Number(pauseMs) ? own : probes;
  return { lanes: 1, concurrency: 1, rate };
}

/** Fewest inputs in a row whose failures are no accident. */
const LEAST_IN_A_ROW = 10;

/** Most of them: where nearly all may fail, any number in a row says little. */
const MOST_IN_A_ROW = 100;

/** Chance at which so many failures in a row are an accident, if the limit's share of all fail. */
const CHANCE = 0.001;

/** Failures in a row that are no accident, in a run of which a share of the inputs may fail. */
export function inARow(share: number): number {
  if (share === 1) return MOST_IN_A_ROW;
  const number = Math.ceil(Math.log(CHANCE) / Math.log(share));
  return Math.min(MOST_IN_A_ROW, Math.max(LEAST_IN_A_ROW, number));
}

/** The inputs that have failed within a time, in words. */
export function shareText(failed: number, inputs: number, seconds: number): string {
  const percent = Math.floor((100 * failed) / inputs);
  return `${percent} % of ${inputs} inputs failed within ${Math.round(seconds)} s`;
}
