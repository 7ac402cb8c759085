import { FanfoldError } from '../../errors.ts';

/** Units of time of a rate, in milliseconds. */
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

type Unit = keyof typeof UNIT_MS;

/** A rate, such as `100/s`: attempts that may start in a second, a minute (`m`) or an hour (`h`). */
export type RateText = `${number}/${Unit}`;

/** Bounds on the execution of a run, over all workers. */
export interface Bounds {
  /** Most inputs that execute at once: 1 to 100000. @default no bound */
  concurrency?: number | undefined;
  /**
   * Most attempts that start in any window of ten units of the rate: `100/s` allows 1,000 in any
   * ten seconds. At least one an hour (`1/h`), at most 100,000 a second.
   * @default no bound
   */
  rate?: RateText | undefined;
}

/**
 * The bounds of a run, and the number of lanes that share them. A lane is a message group of a FIFO
 * queue, of which SQS delivers one message at a time. So each lane is worked on by one worker at a
 * time, which may use its share of the bounds without asking anyone.
 */
export interface Flow extends Bounds {
  lanes: number;
  /**
   * Time at which the number of lanes was changed, in milliseconds since 1970, if the lanes before
   * may still start inputs that count: until all workers know of the change, these lanes start none.
   */
  since?: number | undefined;
}

export const MAX_CONCURRENCY = 100_000;

/** Units in the window over which a rate is a strict bound. */
const WINDOW_UNITS = 10;

/** Pause between two starts of a run from which its rate is slow, in milliseconds. */
const SLOW_PAUSE_MS = 5_000;

/** Most lanes of a slow rate. Their workers do not wait, since SQS hides the messages meanwhile. */
const SLOW_LANES = 10;

/** Longest pause between two starts in a lane that a worker waits for itself, in milliseconds. */
export const LONGEST_WAIT_MS = 15_000;

/** Duration of a task for which a run with a rate alone has enough lanes, in milliseconds. */
const EXPECTED_TASK_MS = 5_000;

/** Part by which a lane's pauses are longer than its share of a rate allows: timers are not exact. */
const MARGIN = 1.03;

interface Rate {
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
      `${what} must be like "100/s", "20/m" or "5/h", for a second, a minute or an hour; got ${JSON.stringify(text)}.`,
    );
  }
  const rate = { count: Number(number), unitMs: UNIT_MS[unit as Unit] };
  const perSecond = (rate.count * 1_000) / rate.unitMs;
  if (perSecond > MAX_CONCURRENCY || perSecond * UNIT_MS.h < 1_000) {
    throw new FanfoldError(
      'BadOption',
      `${what} must be from 1/h, one an hour, to ${MAX_CONCURRENCY}/s; got "${text}".`,
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

/**
 * @param names the bounds, as messages name them
 * @throws FanfoldError `BadOption` for a bound that is out of range
 */
export function checkBounds(
  { concurrency, rate }: { concurrency?: unknown; rate?: unknown },
  names = { concurrency: '`concurrency`', rate: 'A rate' },
): void {
  if (concurrency !== undefined && !isConcurrency(concurrency)) {
    throw new FanfoldError(
      'BadOption',
      `${names.concurrency} must be a whole number from 1 to ${MAX_CONCURRENCY}; got ${JSON.stringify(concurrency)}.`,
    );
  }
  if (rate !== undefined) parsedRate(rate, names.rate);
}

function isConcurrency(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= MAX_CONCURRENCY;
}

/** Whether a value is a flow, as a message or tags carry it. */
export function isFlow(value: unknown): value is Flow {
  const { lanes, concurrency, rate, since = 0, ...more } = Object(value) as Record<string, unknown>;
  if (!isConcurrency(lanes) || Object.keys(more).length > 0) return false;
  if (!Number.isSafeInteger(since)) return false;
  if (concurrency === undefined && rate === undefined) return false;
  try {
    checkBounds({ concurrency, rate } as Bounds);
  } catch {
    return false;
  }
  // Each lane must have a share of each bound.
  const most = rate === undefined ? MAX_CONCURRENCY : allowed(parsedRate(rate));
  return lanes <= Math.min(most, Number(concurrency ?? MAX_CONCURRENCY));
}

/** Starts that a rate allows in its window. */
function allowed({ count }: Rate): number {
  // A decimal such as 0.3 must not allow one less than it says.
  return Math.floor(count * WINDOW_UNITS + 1e-9);
}

/**
 * The flow of a run with these bounds; undefined without any.
 *
 * Without a rate, there are as many lanes as the concurrency needs. With one, there are few: a lane
 * whose worker waits for its next start occupies that worker.
 *
 * @param workers approximate number of workers
 * @param each inputs that a worker runs at once
 */
export function flowOf(bounds: Bounds, workers: number, each: number): Flow | undefined {
  const { concurrency, rate } = bounds;
  if (concurrency === undefined && rate === undefined) return undefined;
  const byConcurrency = concurrency === undefined ? undefined : Math.ceil(concurrency / each);
  if (rate === undefined) return { lanes: byConcurrency ?? 1, concurrency };
  const parsed = parsedRate(rate);
  const pauseMs = parsed.unitMs / parsed.count;
  const expected = byConcurrency ?? Math.ceil(EXPECTED_TASK_MS / pauseMs / each);
  const most =
    pauseMs > SLOW_PAUSE_MS
      ? Math.min(SLOW_LANES, byConcurrency ?? SLOW_LANES)
      : Math.min(expected, workers, Math.floor(LONGEST_WAIT_MS / pauseMs));
  return { lanes: Math.max(1, Math.min(most, allowed(parsed))), concurrency, rate };
}

/** The flow that replaces another one while a run goes on. */
export function replacing(
  before: Flow | 'none' | undefined,
  flow: Flow | undefined,
  now: number,
): Flow | 'none' {
  if (flow === undefined) return 'none';
  if (before === undefined || before === 'none') return flow;
  if (before.lanes === flow.lanes) return { ...flow, since: before.since };
  // A lane never starts beside the one with its number, as they are one message group. So most
  // inputs that run at once stay within the larger bound; but the starts of all lanes add up.
  return before.rate && flow.rate ? { ...flow, since: now } : flow;
}

/** Whether two flows share the lanes of a run in the same way. */
export function haveSameLanes(one: Flow | undefined, other: Flow | undefined): boolean {
  return one?.lanes === other?.lanes && one?.since === other?.since;
}

/** A lane's part of a whole number, so that the parts of all lanes make it up. */
function shareOf(whole: number, lane: number, lanes: number): number {
  return Math.floor(((lane + 1) * whole) / lanes) - Math.floor((lane * whole) / lanes);
}

/** Inputs that a worker may run at once in a lane. @param each those of its task */
export function widthOf({ lanes, concurrency }: Flow, lane: number, each: number): number {
  return concurrency === undefined ? each : Math.min(each, shareOf(concurrency, lane, lanes));
}

/** Shortest time between two starts in a lane, in milliseconds; 0 without a rate. */
export function pauseOf({ lanes, rate }: Flow, lane: number): number {
  if (rate === undefined) return 0;
  const parsed = parsedRate(rate);
  const starts = shareOf(allowed(parsed), lane, lanes);
  return (parsed.unitMs * WINDOW_UNITS * MARGIN) / starts;
}

/** Chunks of a run for each of its lanes: the end of each costs a lane the time of a hand-over. */
const CHUNKS_EACH = 8;

/** With a rate, also the time of its last items. */
const PACED_CHUNKS_EACH = 2;

/** Time that a chunk of a run with a rate should take, in milliseconds. */
const PACED_CHUNK_MS = 60_000;

/** Slice of such a chunk: the end of each slice costs its lane the time of the last items. */
export const PACED_MS = 75_000;

/** Most inputs in a chunk of a run with bounds. */
function mostItems(flow: Flow, each: number): number {
  const paced = flow.rate ? Math.ceil(PACED_CHUNK_MS / pauseOf(flow, 0)) : CHUNK_ITEMS;
  return Math.min(CHUNK_ITEMS, Math.max(paced, widthOf(flow, 0, each) * 4));
}

/** Number of inputs to cut a chunk into that comes from other lanes: more lanes need smaller ones. */
export function movedChunkItems(items: number, before: Flow | undefined, flow: Flow): number {
  if (haveSameLanes(before, flow)) return items;
  const parts = Math.ceil(flow.lanes / (before?.lanes ?? flow.lanes));
  return Math.min(mostItems(flow, 1), Math.ceil(items / parts));
}

/** Number of inputs in a chunk of a run with bounds. @param each inputs that a worker runs at once */
export function laneChunkItems(flow: Flow, inputs: number, each: number): number {
  // A slow lane starts one item of each chunk that it receives.
  if (pauseOf(flow, 0) > LONGEST_WAIT_MS) return 1;
  const inLane = Math.ceil(inputs / flow.lanes);
  const least = flow.rate ? PACED_CHUNKS_EACH : CHUNKS_EACH;
  const chunks = Math.max(least, Math.ceil(inLane / mostItems(flow, each)));
  // Each lane gets as many, so that all end together.
  return Math.max(1, Math.ceil(inLane / chunks));
}

/** Most inputs in a chunk. */
export const CHUNK_ITEMS = 1_000;
