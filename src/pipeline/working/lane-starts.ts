import { createHash } from 'node:crypto';
import type { Chunk } from '../messages/chunk.ts';
import { type Flow, haveSameLanes, isSlotted, pauseOf, slotOf } from '../messages/flow.ts';
import { createdAt } from '../names.ts';
import type { RunControl } from '../run/run-queues.ts';
import type { TaskMessage } from './task-message.ts';

/**
 * Age of a run up to which the first chunk of a lane may be moved there as such, in milliseconds:
 * SQS drops copies of a message for 5 min. And the time by which the run's clock may be ahead.
 */
const OPENING_MS = 240_000;
const EARLY_BIRTH_MS = 30_000;

/** Shortest pause of a lane that its first chunk need not make, in milliseconds. */
const LEAST_OPENING_MS = 2_000;

/** A message in a lane, and what was set for its run. */
interface InLane {
  message: TaskMessage;
  chunk: Chunk;
  control: RunControl;
}

/** The next time at which a lane with times of its own may start, in milliseconds since 1970. */
export function nextStart(
  flow: Flow,
  lane: number,
  { chunk: { runId }, control: { lanesFrom } }: InLane,
  now: number,
): number {
  const bornAt = createdAt(runId);
  const { at, spacingMs } = slotOf(flow, lane, now, bornAt);
  // The last start of the lanes before these may be a moment ago.
  const earliest = lanesFrom === undefined ? 0 : lanesFrom + spacingMs;
  return at >= earliest ? at : slotOf(flow, lane, earliest, bornAt).at;
}

/**
 * When a lane may start that nothing has started in, in milliseconds since 1970, which may be over;
 * undefined if something may have.
 */
export function openingOf(
  { chunk, message, control }: InLane,
  flow: Flow,
  lane: number,
  now: number,
): number | undefined {
  const bornAt = createdAt(chunk.runId);
  if (!chunk.opens || message.receiveCount > 1 || bornAt === undefined) return undefined;
  if (flow.since !== undefined || control.lanesFrom !== undefined) return undefined;
  if (isSlotted(flow)) {
    // Only this chunk may use the lane's first time.
    const { at, lateMs } = slotOf(flow, lane, bornAt, bornAt);
    return now <= at + lateMs ? at : undefined;
  }
  // Any other chunk of the lane makes a pause before it starts, by a clock that is about right.
  const pauseMs = pauseOf(flow, lane);
  const isFirst = pauseMs >= LEAST_OPENING_MS && now - bornAt <= pauseMs / 2;
  return isFirst ? bornAt + Math.min(pauseMs / 2, (lane * pauseMs) / flow.lanes) : undefined;
}

/**
 * Whether a chunk that is moved is the first one of its lane. SQS drops copies of it, which have the
 * same id: nothing is lost by that, as whoever sends it again clears its mark.
 */
export function opensLane(
  { runId, flow: before, opens, items }: Chunk,
  flow: Flow,
  now: number,
): boolean {
  const ageMs = now - (createdAt(runId) ?? 0);
  const isInTime = ageMs > -EARLY_BIRTH_MS && ageMs < OPENING_MS;
  return opens === true && items.length > 0 && isInTime && haveSameLanes(before, flow);
}

export function openingId({ runId, items }: Chunk): string {
  const indexes = items.map(({ index }) => index);
  return createHash('sha256')
    .update(JSON.stringify([runId, indexes]))
    .digest('hex');
}
