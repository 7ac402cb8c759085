import { serviceNow } from '../../clock.ts';
import { type Chunk, type ChunkItem, chunkBody, cut } from '../messages/chunk.ts';
import { type Flow, haveSameLanes, isSlotted } from '../messages/flow.ts';
import { laneOfTurn, movedChunkItems, spreadChunkItems } from '../messages/lane-chunks.ts';
import { MAX_CONCURRENCY } from '../messages/rate.ts';
import { laneQueueUrl } from '../queue-urls.ts';
import type { RunControl, RunQueues } from '../run/run-queues.ts';
import { sendAll } from '../run/send.ts';
import type { Claim } from './claim.ts';
import { follow } from './follow.ts';
import { nextStart, openingId, openingOf, opensLane } from './lane-starts.ts';
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

/**
 * Longest time for which the first chunk of a group is hidden, in seconds: while its run is paused,
 * or until its lane may start. What was set meanwhile must not wait for longer.
 */
const HIDDEN_SECONDS = 10;

/** The same on a server, where the worker that watches the run may end meanwhile, in seconds. */
const HIDDEN_ON_SERVER_SECONDS = 2;

/** Age up to which a reading of a run's settings decides that a chunk leaves its lane, in ms. */
const FRESH_MS = 1_000;

/** Time before a lane's start at which its chunk is to be back, in milliseconds. */
const BACK_MS = 1_500;

/** More than any bound: a random turn may be of any lane. */
const MANY_TURNS = 2 * MAX_CONCURRENCY;

/** A message, and what decides where its chunk runs. */
export interface Routed {
  message: TaskMessage;
  chunk: Chunk;
  control: RunControl;
  claim: Claim;
  runs: RunQueues;
}

/** The queues of a deployment. */
type Place = TaskQueue & { onServer?: boolean | undefined };

/** A chunk that may run here, now. */
export interface Route {
  bounded: Bounded | undefined;
  /** Whether another worker had the message and reported no outcome. */
  redelivered: boolean;
}

/** The bounds that a chunk runs within, and its lane. */
export interface Bounded {
  flow: Flow;
  lane: number;
  /** When the lane may start, by `performance.now`, if it has times of its own. */
  startsAt?: number | undefined;
  /** Milliseconds until the first start. @default a pause: the last start was in another chunk */
  firstMs?: number | undefined;
}

/**
 * Decides where a chunk runs. The verdict is for a message that is moved to another lane, or hidden
 * until the chunk may start.
 */
export async function routeOf(queue: Place, routed: Routed): Promise<Route | Verdict> {
  const { message, chunk, control } = routed;
  const isInLane = message.group !== undefined;
  // It may be another lane than the run's present ones.
  if (isInLane && control.unread) throw control.unread;
  if (control.paused) {
    if (isInLane && message.receiveCount === 1) return hide(queue, routed, HIDDEN_SECONDS);
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
  const opensAt = openingOf(routed, flow, lane, now);
  const firstMs = opensAt && Math.max(0, opensAt - now);
  if (!isSlotted(flow)) return { bounded: { flow, lane, firstMs }, redelivered };
  const startsInMs = firstMs ?? nextStart(flow, lane, routed, now) - now;
  const hiddenSeconds = Math.min(HIDDEN_SECONDS, Math.floor((startsInMs - BACK_MS) / 1_000));
  if (hiddenSeconds > 0) return hide(queue, routed, hiddenSeconds);
  // Others may have had it only to hide it: an input that is begun alone is announced for nothing.
  const startsAt = performance.now() + startsInMs;
  return { bounded: { flow, lane, startsAt }, redelivered };
}

/** Whether a worker that knows of other bounds than this one has moved the message. */
export function isElsewhere(
  { group }: TaskMessage,
  chunk: Chunk,
  { flow = chunk.flow }: RunControl,
): boolean {
  return group !== undefined && (flow === 'none' || !haveSameLanes(flow, chunk.flow));
}

/**
 * Whether a message only has to leave its lane, which is none of its run's, as far as is known. After
 * an outage or a pause, all chunks that have waited in a lane do.
 */
export function leavesLane(
  message: TaskMessage,
  chunk: Chunk,
  { flow = chunk.flow, paused, unread }: RunControl,
): boolean {
  if (message.group === undefined || paused || unread) return false;
  return flow === undefined || flow === 'none' || laneOf(message, chunk, flow) === undefined;
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
    const { items, attempt } = chunk;
    const isAgain = attempt > 1;
    const most = isAgain
      ? spreadChunkItems(items.length, flow)
      : movedChunkItems(items.length, chunk.flow, flow);
    const parts = cut(items, most);
    const turn = turnOf(chunk) * (isAgain ? 1 : parts.length);
    const laneOfPart = (part: number) => String(laneOfTurn(flow, turn + part));
    const opening = opensLane(chunk, flow, now) ? openingId(chunk) : undefined;
    return sendToGroups(queue, { ...chunk, flow }, parts, laneOfPart, opening);
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
 * Sends items of a chunk to the other lanes of its run, in parts.
 *
 * @param round another number sends each of them to another lane
 */
export async function sendToOtherLanes(
  queue: TaskQueue,
  chunk: Chunk,
  items: readonly ChunkItem[],
  { flow, lane }: Bounded,
  round: number,
): Promise<void> {
  const others = flow.lanes - 1;
  const parts = cut(items, isSlotted(flow) ? 1 : Math.ceil(items.length / others));
  const laneOfPart = (part: number) => String((lane + 1 + ((part + round) % others)) % flow.lanes);
  // Their turn is of this lane.
  await sendToGroups(queue, { ...chunk, begun: true, turn: undefined }, parts, laneOfPart);
}

/**
 * Sends a chunk on that a worker has no time for: to the lane that it came from or belongs to, or to
 * the task queue if its run has no bounds.
 */
export async function passOn(
  queue: TaskQueue,
  { message, chunk, runs }: Pick<Routed, 'message' | 'chunk' | 'runs'>,
): Promise<void> {
  const { group, receiveCount } = message;
  // By what was read long ago, it might be moved to and fro.
  if (leavesLane(message, chunk, runs.control(chunk))) await runs.state(chunk, FRESH_MS);
  const control = runs.control(chunk);
  const { flow = chunk.flow, paused } = control;
  if (group !== undefined && !leavesLane(message, chunk, control)) {
    const lane = group.slice(chunk.runId.length + 1);
    // Nothing has started in its lane yet.
    const opening = chunk.opens && receiveCount === 1 ? crypto.randomUUID() : undefined;
    await sendToGroups(queue, chunk, [chunk.items], () => lane, opening);
  } else if (flow === undefined) await sendBack(queue, chunk, chunk.items, 1);
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
  opening?: string,
): Promise<void> {
  const opens = opening !== undefined && parts.length === 1;
  const messages = parts.map((items, part) => ({
    body: chunkBody({ ...chunk, opens: opens || undefined }, items),
    groupId: `${chunk.runId}.${groupOf(part)}`,
    deduplicationId: opens ? opening : crypto.randomUUID(),
  }));
  await sendAll(sqs, laneQueueUrl(taskQueueUrl), messages);
}

/**
 * The seed's chunks take turns, so that lanes end together. Their further attempts take the same
 * ones, and the next if they are many. The parts of chunks that were cut take any lane.
 */
function turnOf({ turn, stalled }: Chunk): number {
  const isCut = stalled !== undefined;
  return isCut || turn === undefined ? Math.floor(Math.random() * MANY_TURNS) : turn;
}

/**
 * Leaves a message to a later receiver. On a server, where a reading costs little, it is shown again
 * as soon as something else is set for its run.
 */
async function hide(
  { onServer = false }: Place,
  { claim, runs, chunk, control }: Routed,
  mostSeconds: number,
): Promise<Verdict> {
  const seconds = onServer ? Math.min(HIDDEN_ON_SERVER_SECONDS, mostSeconds) : mostSeconds;
  await claim.hide(seconds);
  if (!onServer) return 'keep';
  const show = () => {
    end();
    void claim.show();
  };
  const followers = { mayStart: () => true, onChange: show, onHedge() {} };
  const follows = follow(runs, chunk, control, followers);
  const timer = setTimeout(() => end(), seconds * 1_000);
  timer.unref();
  const end = () => {
    follows();
    clearTimeout(timer);
  };
  return 'keep';
}
