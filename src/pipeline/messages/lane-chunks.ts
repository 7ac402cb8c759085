import {
  EVEN_STARTS,
  type Flow,
  haveSameLanes,
  isSlotted,
  pauseOf,
  shareOf,
  widthBefore,
  widthOf,
} from './flow.ts';
import { allowed, parsedRate } from './rate.ts';

// The sizes of the chunks of runs with bounds, and the lanes that they go to.

/** The lane of the seed's chunk with a number: lanes take turns, so that they end together. */
export function laneOfTurn(flow: Flow, turn: number): number {
  const { lanes } = flow;
  const wide = widthBefore(flow, 1);
  const all = widthBefore(flow, lanes);
  const last = all - widthBefore(flow, lanes - 1);
  if (last < wide) {
    // The last lane takes part in as many rounds as its width is of the others'.
    const before = (round: number) => round * (lanes - 1) + Math.floor((round * last) / wide);
    let round = Math.floor((turn * wide) / all);
    if (before(round + 1) <= turn) round++;
    return Math.min(turn - before(round), lanes - 1);
  }
  const cycle = cycleOf(flow);
  const at = turn % cycle;
  const inAll = Math.floor(cycle / lanes) * lanes;
  if (at < inAll) return at % lanes;
  // Those that may start once more than others in each window take part in one more round.
  const each = Array.from({ length: lanes }, (_, lane) => lane);
  const others = each.filter((lane) => shareOf(cycle, flow, lane) > inAll / lanes);
  return others[at - inAll] ?? 0;
}

/** Turns after which each lane of the same width has had its part. */
function cycleOf({ lanes, rate }: Flow): number {
  if (rate === undefined || isSlotted({ lanes, rate })) return lanes;
  const starts = allowed(parsedRate(rate));
  return starts >= EVEN_STARTS * lanes || starts % lanes === 0 ? lanes : starts;
}

/** Chunks of a run for each of its lanes: the end of each costs a lane the time of a hand-over. */
const CHUNKS_EACH = 8;

/** With a rate, also the time of its last items. */
const PACED_CHUNKS_EACH = 2;

/** Time that a chunk of a run with a rate should take, in milliseconds. */
const PACED_CHUNK_MS = 180_000;

/** Slice of such a chunk: the end of each slice costs its lane the time of the last items. */
export const PACED_MS = 240_000;

/** Inputs in a chunk for each that a lane runs at once. */
const TIMES_WIDTH = 4;

/** Most inputs in a chunk of a run with bounds. */
function mostItems(flow: Flow, each: number): number {
  const paced = flow.rate ? Math.ceil(PACED_CHUNK_MS / pauseOf(flow, 0)) : CHUNK_ITEMS;
  return Math.min(CHUNK_ITEMS, Math.max(paced, widthOf(flow, 0, each) * TIMES_WIDTH));
}

/** Time that a part of a chunk's further attempts should take in a lane with a rate, in ms. */
const SPREAD_MS = 2_000;

/** Number of inputs to cut a chunk into whose inputs are tried again: with a rate, all lanes get some. */
export function spreadChunkItems(items: number, flow: Flow): number {
  if (isSlotted(flow)) return 1;
  if (flow.rate === undefined) return items;
  return Math.max(Math.ceil(SPREAD_MS / pauseOf(flow, 0)), Math.ceil(items / flow.lanes));
}

/** Number of inputs to cut a chunk into that comes from other lanes: more lanes need smaller ones. */
export function movedChunkItems(items: number, before: Flow | undefined, flow: Flow): number {
  if (haveSameLanes(before, flow)) return items;
  if (isSlotted(flow)) return 1;
  const parts = Math.ceil(flow.lanes / (before?.lanes ?? flow.lanes));
  return Math.min(mostItems(flow, 1), Math.ceil(items / parts));
}

/**
 * Number of inputs in a chunk of a run with bounds.
 *
 * @param each inputs that a worker runs at once
 * @param workers approximate number of workers
 * @param hedge whether slow inputs run a second time: what waits in a chunk behind them can be sent
 *   to other lanes, what waits in another chunk can't
 */
export function laneChunkItems(
  flow: Flow,
  inputs: number,
  each: number,
  workers: number,
  hedge = false,
): number {
  // Such a lane starts one item of each chunk that it receives.
  if (isSlotted(flow)) return 1;
  const inLane = Math.ceil((inputs * widthBefore(flow, 1)) / widthBefore(flow, flow.lanes));
  const least = hedge ? 1 : flow.rate ? PACED_CHUNKS_EACH : CHUNKS_EACH;
  const chunks = Math.max(least, Math.ceil(inLane / mostItems(flow, each)));
  // A chunk ends with its slowest item, so it has several for each that run at once.
  const atOnce = widthOf(flow, 0, each);
  const busy = Math.max(1, workers < flow.lanes ? workers : cycleOf(flow));
  const wide = atOnce === 1 ? 1 : Math.min(atOnce * TIMES_WIDTH, Math.ceil(inputs / busy));
  const size = Math.max(1, wide, Math.ceil(inLane / chunks));
  // Each lane gets as many, so that all end together; of more lanes than workers, each worker.
  const inLongest = (items: number) => items * Math.ceil(Math.ceil(inputs / items) / busy);
  const sizes = Array.from({ length: Math.floor(size / 2) + 1 }, (_, less) =>
    Math.max(1, size - less),
  );
  return sizes.reduce((best, one) => (inLongest(one) < inLongest(best) ? one : best));
}

/** Most inputs in a chunk. */
export const CHUNK_ITEMS = 1_000;
