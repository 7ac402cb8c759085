import { serviceNow } from '../../clock.ts';
import { type Chunk, type ChunkItem, chunkBody, cut } from '../messages/chunk.ts';
import {
  type Flow,
  haveSameLanes,
  LONGEST_WAIT_MS,
  movedChunkItems,
  pauseOf,
} from '../messages/flow.ts';
import { laneQueueUrl } from '../queue-urls.ts';
import type { RunControl } from '../run/run-queues.ts';
import { sendAll } from '../run/send.ts';
import type { Claim } from './claim.ts';
import { delayed, sendBack, type TaskQueue } from './resend.ts';
import type { TaskMessage, Verdict } from './task-message.ts';

// The chunks of a run with bounds pass through lanes: message groups of a FIFO queue. SQS delivers
// a group's next message only when the one before it is deleted or visible again, whatever dies. So
// each lane is worked on by one worker at a time, with its share of the run's bounds.
//
// A chunk reaches its lane by way of the task queue: the worker that receives it there, or in
// another lane than it now belongs to, moves it. So only workers know of lanes, and chunks that
// were delayed or cut find their lane again, also after the bounds were changed. The rest of a
// chunk stays in its lane, so that lanes which began together end together.

/** Time by which a chunk may start before its own, in milliseconds. */
const EARLY_MS = 1_000;

/** Groups in which the chunks of a paused run wait. */
const PARKING = 4;

/** Time for which the first chunk of a group is hidden while its run is paused, in seconds. */
const PAUSED_SECONDS = 10;
const PAUSED_ON_SERVER_SECONDS = 1;

/** A message, and what decides where its chunk runs. */
export interface Routed {
  message: TaskMessage;
  chunk: Chunk;
  control: RunControl;
  claim: Claim;
}

/** A chunk that may run here, now. */
export interface Route {
  /** The bounds that it runs within, and its lane. */
  bounded: { flow: Flow; lane: number } | undefined;
  /** Whether another worker had the message and reported no outcome. */
  redelivered: boolean;
}

/**
 * Decides where a chunk runs. The verdict is for a message that is moved to another lane, or hidden
 * until the chunk may start.
 */
export async function routeOf(
  queue: TaskQueue & { onServer?: boolean | undefined },
  { message, chunk, control, claim }: Routed,
): Promise<Route | Verdict> {
  const isInLane = message.group !== undefined;
  // It may be another lane than the run's present ones.
  if (isInLane && control.unread) throw control.unread;
  if (control.paused) {
    const seconds = queue.onServer ? PAUSED_ON_SERVER_SECONDS : PAUSED_SECONDS;
    if (isInLane && message.receiveCount === 1) return hide(claim, seconds);
    await park(queue, chunk);
    return 'done';
  }
  const now = serviceNow(queue.sqs);
  const leftMs = (chunk.notBefore ?? 0) - now;
  if (leftMs > EARLY_MS) {
    const waiting = delayed(chunk, chunk.items, Math.ceil(leftMs / 1000), now);
    await sendAll(queue.sqs, queue.taskQueueUrl, waiting);
    return 'done';
  }
  const { flow = chunk.flow } = control;
  const redelivered = message.receiveCount > 1;
  if (flow === undefined || flow === 'none') {
    if (!isInLane) return { bounded: undefined, redelivered };
    await sendBack(queue, { ...chunk, flow: undefined }, chunk.items, 1);
    return 'done';
  }
  const lane = laneOf(message, chunk, flow);
  if (lane === undefined) {
    await moveToLane(queue, chunk, flow, control);
    return 'done';
  }
  const bounded = { flow, lane };
  const pauseMs = pauseOf(flow, lane);
  if (pauseMs <= LONGEST_WAIT_MS) return { bounded, redelivered };
  // SQS hides the message for a whole pause before each start, which holds up the lane's next one,
  // too. So nothing has started in the lane meanwhile, whatever became of the start before.
  const { receiveCount, firstReceivedAt = Number.POSITIVE_INFINITY } = message;
  const waitedMs = serviceNow(queue.sqs) - firstReceivedAt;
  const isTurn = receiveCount % 2 === 0 && waitedMs >= (pauseMs * receiveCount) / 2;
  return isTurn ? { bounded, redelivered: receiveCount > 2 } : hide(claim, pauseMs / 1000);
}

/** Whether a worker that knows of other bounds than this one has moved the message. */
export function isElsewhere(
  { group }: TaskMessage,
  chunk: Chunk,
  { flow = chunk.flow }: RunControl,
): boolean {
  return group !== undefined && (flow === 'none' || !haveSameLanes(flow, chunk.flow));
}

/** The lane that a message was received in; undefined if it is none of the run's present lanes. */
function laneOf({ group }: TaskMessage, chunk: Chunk, flow: Flow): number | undefined {
  if (group === undefined || !haveSameLanes(chunk.flow, flow)) return undefined;
  const [, runId, lane] = /^(.+)\.(\d+)$/.exec(group) ?? [];
  return runId === chunk.runId && Number(lane) < flow.lanes ? Number(lane) : undefined;
}

/**
 * Moves a chunk to a lane of its run, or in parts to several; or back to the task queue if it is
 * too early for that.
 */
async function moveToLane(
  queue: TaskQueue,
  chunk: Chunk,
  flow: Flow,
  { lanesFrom = 0 }: RunControl,
): Promise<void> {
  const now = serviceNow(queue.sqs);
  const earlyMs = lanesFrom - now;
  if (earlyMs <= 0) {
    const parts = cut(chunk.items, movedChunkItems(chunk.items.length, chunk.flow, flow));
    const lane = laneFor(chunk, flow, parts.length);
    const laneOfPart = (part: number) => String((lane + part) % flow.lanes);
    return sendToGroups(queue, { ...chunk, flow }, parts, laneOfPart);
  }
  const waiting = { ...chunk, begun: chunk.begun ?? false };
  const messages = delayed(waiting, chunk.items, Math.ceil(earlyMs / 1000), now);
  await sendAll(queue.sqs, queue.taskQueueUrl, messages);
}

/** Sends a chunk to a lane of its run. */
export function sendToLane(queue: TaskQueue, chunk: Chunk, lane: number): Promise<void> {
  return sendToGroup(queue, chunk, String(lane));
}

/**
 * Sends a chunk on that a worker has no time for: to the lane that it came from or belongs to, or to
 * the task queue if its run has no bounds.
 */
export async function passOn(
  queue: TaskQueue,
  { message: { group }, chunk, control }: Omit<Routed, 'claim'>,
): Promise<void> {
  const { flow = chunk.flow, paused } = control;
  if (group !== undefined) await sendToGroup(queue, chunk, group.slice(chunk.runId.length + 1));
  else if (flow === undefined) await sendBack(queue, chunk, chunk.items, 1);
  // From the task queue, it would arrive here again at once.
  else if (paused) await park(queue, chunk);
  else if (flow === 'none') await sendBack(queue, { ...chunk, flow: undefined }, chunk.items, 1);
  else await moveToLane(queue, chunk, flow, control);
}

/** Moves a chunk of a paused run to a group where it blocks no other. */
function park(queue: TaskQueue, chunk: Chunk): Promise<void> {
  return sendToGroup(queue, chunk, `p${Math.floor(Math.random() * PARKING)}`);
}

function sendToGroup(queue: TaskQueue, chunk: Chunk, group: string): Promise<void> {
  return sendToGroups(queue, chunk, [chunk.items], () => group);
}

async function sendToGroups(
  { sqs, taskQueueUrl }: TaskQueue,
  chunk: Chunk,
  parts: readonly (readonly ChunkItem[])[],
  groupOf: (part: number) => string,
): Promise<void> {
  const messages = parts.map((items, part) => ({
    body: chunkBody(chunk, items),
    groupId: `${chunk.runId}.${groupOf(part)}`,
    deduplicationId: crypto.randomUUID(),
  }));
  await sendAll(sqs, laneQueueUrl(taskQueueUrl), messages);
}

/** The seed's chunks take turns, so that lanes end together; others are few, and take any lane. */
function laneFor({ turn, attempt, stalled }: Chunk, { lanes }: Flow, parts: number): number {
  const isWhole = attempt === 1 && stalled === undefined;
  return isWhole && turn !== undefined ? (turn * parts) % lanes : Math.floor(Math.random() * lanes);
}

/** Leaves a message to a later receiver. */
async function hide(claim: Claim, seconds: number): Promise<Verdict> {
  await claim.hide(seconds);
  return 'keep';
}
