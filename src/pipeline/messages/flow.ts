import { FanfoldError, valueText } from '../../errors.ts';
import {
  allowed,
  isSlow,
  MAX_CONCURRENCY,
  parsedRate,
  pauseOfRate,
  type RateText,
  WINDOW_UNITS,
} from './rate.ts';

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
   * Most inputs at once in a lane. The first lanes run as many, and the last one what is left of the
   * concurrency. So a lane is never wider under a smaller bound: while some workers know of one
   * bound and some of another, their lanes stay within the larger one.
   * @default 1
   */
  width?: number | undefined;
  /**
   * Time at which the lanes or their pace were changed, in milliseconds since 1970, if the lanes before
   * may still start inputs that count: until all workers know of the change, these lanes start none.
   */
  since?: number | undefined;
}

/**
 * Duration of a task for which a run with a slow rate has enough lanes, in milliseconds. These may
 * be many: their workers do not wait, since SQS hides the messages meanwhile.
 */
const SLOW_TASK_MS = 75_000;

/** Longest pause between two starts in a lane that a worker waits for itself, in milliseconds. */
const LONGEST_WAIT_MS = 15_000;

/** Starts of a lane in a window from which one more makes no difference. */
export const EVEN_STARTS = 20;

/** Duration of a task for which a run with another rate alone has enough lanes, in milliseconds. */
const EXPECTED_TASK_MS = 10_000;

/** Part by which a lane's pauses are longer than its share of a rate allows: timers are not exact. */
const MARGIN = 1.03;

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
      `${names.concurrency} must be a whole number from 1 to ${MAX_CONCURRENCY}; got ${valueText(concurrency)}.`,
    );
  }
  if (rate !== undefined) parsedRate(rate, names.rate);
}

function isConcurrency(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= MAX_CONCURRENCY;
}

/** Whether a value is a flow, as a message or tags carry it. */
export function isFlow(value: unknown): value is Flow {
  const {
    lanes,
    width = 1,
    concurrency,
    rate,
    since = 0,
    ...more
  } = Object(value) as Record<string, unknown>;
  if (!isConcurrency(lanes) || !isConcurrency(width) || Object.keys(more).length > 0) return false;
  if (!Number.isSafeInteger(since)) return false;
  if (concurrency === undefined && rate === undefined) return false;
  try {
    checkBounds({ concurrency, rate } as Bounds);
  } catch {
    return false;
  }
  // Each lane must have a share of each bound.
  const most = rate === undefined ? MAX_CONCURRENCY : allowed(parsedRate(rate));
  const wide = concurrency === undefined ? most : Math.ceil(Number(concurrency) / width);
  return lanes <= Math.min(most, wide);
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
  const byConcurrency =
    concurrency === undefined ? undefined : lanesFor(concurrency, workers, each);
  const wide = concurrency === undefined || each === 1 ? undefined : { width: each };
  if (rate === undefined) return { lanes: byConcurrency ?? 1, ...wide, concurrency };
  const parsed = parsedRate(rate);
  const pauseMs = pauseOfRate(parsed);
  const expected = byConcurrency ?? Math.ceil(EXPECTED_TASK_MS / pauseMs / each);
  const most = isSlow(parsed)
    ? Math.min(Math.ceil(SLOW_TASK_MS / pauseMs), byConcurrency ?? MAX_CONCURRENCY)
    : Math.min(expected, workers, Math.floor(LONGEST_WAIT_MS / pauseMs));
  const many = Math.max(1, Math.min(most, allowed(parsed)));
  const lanes = isSlow(parsed) ? many : evenLanes(many, allowed(parsed));
  return { lanes, ...wide, concurrency, rate };
}

/** Part of the lanes that is kept so that all have as many starts in a window. */
const EVEN_LANES = 0.7;

/** The number of lanes, or a few less, among which starts can be shared evenly. */
function evenLanes(lanes: number, starts: number): number {
  if (starts >= EVEN_STARTS * lanes) return lanes;
  const few = Array.from({ length: lanes }, (_, less) => lanes - less);
  return few.find((one) => one >= lanes * EVEN_LANES && starts % one === 0) ?? lanes;
}

/** Lanes of a concurrency. @param workers their number; 0 if it is not known */
function lanesFor(concurrency: number, workers: number, each: number): number {
  const wide = Math.floor(concurrency / each);
  // A narrower lane would only keep a worker from a wide one.
  return workers > 0 && workers <= wide ? wide : Math.ceil(concurrency / each);
}

/** The flow that replaces another one while a run goes on. */
export function replacing(
  before: Flow | 'none' | undefined,
  flow: Flow | undefined,
  now: number,
): Flow | 'none' {
  if (flow === undefined) return 'none';
  if (before === undefined || before === 'none') return flow;
  const isRepaced = isSlotted(before) || isSlotted(flow) ? before.rate !== flow.rate : false;
  if (before.lanes === flow.lanes && !isRepaced) return { ...flow, since: before.since };
  // A lane never starts beside the one with its number, as they are one message group, and is as
  // wide as that one or narrower under the smaller bound. So most inputs that run at once stay
  // within the larger bound; but the starts of all lanes add up.
  return before.rate && flow.rate ? { ...flow, since: now } : flow;
}

/** Whether two flows share the lanes of a run in the same way. */
export function haveSameLanes(one: Flow | undefined, other: Flow | undefined): boolean {
  return one?.lanes === other?.lanes && one?.since === other?.since;
}

/** Inputs at once in all lanes before one; without a concurrency, the number of these lanes. */
export function widthBefore({ width = 1, concurrency }: Flow, lane: number): number {
  return concurrency === undefined ? lane : Math.min(lane * width, concurrency);
}

/** A lane's part of a whole number, by its width: the parts of all lanes make it up. */
export function shareOf(whole: number, flow: Flow, lane: number): number {
  const all = widthBefore(flow, flow.lanes);
  const [before, after] = [lane, lane + 1].map((one) =>
    Math.floor((widthBefore(flow, one) * whole) / all),
  ) as [number, number];
  return after - before;
}

/** Inputs that a worker may run at once in a lane. @param each those of its task */
export function widthOf(flow: Flow, lane: number, each: number): number {
  if (flow.concurrency === undefined) return each;
  return Math.min(each, widthBefore(flow, lane + 1) - widthBefore(flow, lane));
}

/**
 * Whether each lane has its own times to start, between which SQS hides its messages. The times of
 * all lanes are as far apart as the starts of the run must be.
 */
export function isSlotted({ lanes, rate }: Flow): boolean {
  if (rate === undefined) return false;
  const parsed = parsedRate(rate);
  return isSlow(parsed) && pauseOfRate(parsed) * lanes > LONGEST_WAIT_MS;
}

/** Time from a change of lanes until all workers know of it, for most runs, in milliseconds. */
const CHANGE_MS = 30_000;

/** Part of a rate's window by which the first start of a lane may be late: less than `MARGIN`. */
const LATE = 0.02;

/**
 * The next time from one on at which a lane with such times may start, in milliseconds since 1970;
 * and the pause until the one after it. The times of the first lane begin with the run, or when its
 * lanes were changed.
 *
 * @param bornAt when the run began
 */
export function slotOf({ lanes, rate, since }: Flow, lane: number, from: number, bornAt = 0) {
  const parsed = parsedRate(rate);
  const windowMs = parsed.unitMs * WINDOW_UNITS;
  const spacingMs = (windowMs * MARGIN) / allowed(parsed);
  const pauseMs = spacingMs * lanes;
  const offsetMs = (since === undefined ? bornAt : since + CHANGE_MS) + spacingMs * lane;
  const at = Math.ceil((from - offsetMs) / pauseMs) * pauseMs + offsetMs;
  return { at, pauseMs, spacingMs, lateMs: windowMs * LATE };
}

/** Shortest time between two starts in another lane, in milliseconds; 0 without a rate. */
export function pauseOf(flow: Flow, lane: number): number {
  if (flow.rate === undefined) return 0;
  const parsed = parsedRate(flow.rate);
  return (parsed.unitMs * WINDOW_UNITS * MARGIN) / shareOf(allowed(parsed), flow, lane);
}
