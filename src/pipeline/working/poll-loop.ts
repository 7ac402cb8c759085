import { DeleteMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { backoffMs, wait } from '../../retry.ts';
import { type Chunk, hasFlow } from '../messages/chunk.ts';
import { type Hand, MISJUDGED_MS, Polls } from './polls.ts';
import type { TaskMessage, Verdict } from './task-message.ts';
import { watching } from './watching.ts';
import { type Executed, returnsAtOnce, type Worker } from './worker.ts';

export interface PullOptions {
  sqs: SQSClient;
  taskQueueUrl: string;
  worker: Worker;
  /** Aborting it ends the loop: at once if it waits for a chunk, else after the current chunk. */
  signal: AbortSignal;
  /**
   * Seconds that a receive waits for a chunk, from 1 to 20. If none arrives, the loop ends.
   * @default the loop has no end
   */
  untilEmptySeconds?: number;
  /** Milliseconds until this process must have ended. Without it, there is no limit. */
  remainingMs?: () => number;
  /** Failures of calls or chunks in a row after which the loop ends. @default no limit */
  maxFailures?: number;
  /** Called with messages that the worker has received. */
  onTaken?: (messages: readonly TaskMessage[]) => void;
  /** Called when the worker begins with a message, and when it may take another. */
  onBusy?: (isBusy: boolean) => void;
  /** Called with each chunk whose items are about to run. */
  onBegin?: (message: TaskMessage, chunk: Chunk) => void;
  /** Called with each message that is done. It is deleted once its hand is settled. */
  onSettled?: (message: TaskMessage) => void;
  /** Called with messages that the worker no longer holds. */
  onDone?: (messages: readonly TaskMessage[]) => void;
  /** Called with the error of a call or a chunk; the loop continues. */
  onError?: (error: unknown) => void;
}

/**
 * Reason for the loop's end: it was stopped; its process is worn out by functions that run past
 * their timeout; there was no chunk; its process must end soon; or calls or chunks failed
 * repeatedly.
 */
export type PullEnd = 'stopped' | 'worn' | 'empty' | 'late' | 'failing';

/** Seconds that a receive waits for a chunk: the longest that SQS allows. */
const WAIT_SECONDS = 20;

/** Process time that must remain for a worker to receive a chunk, beyond the wait for it. */
const LAST_TAKE_MS = 10_000;

/** Most messages in a hand: SQS delivers at most ten. */
const HAND_MESSAGES = 10;

/** Longest time that a hand should keep its worker busy: no message in it waits longer. */
const HAND_MS = 50;

/** Most hands whose results are still being sent while the next ones are worked on. */
const SETTLING_HANDS = 10;

/**
 * Receives chunks from the task queue and works on them, one at a time, until it is stopped or its
 * process is worn out. While results are sent and messages deleted, the next chunks are received
 * and started. It receives one message at first, so that none waits here while another worker is
 * free. If chunks take milliseconds, it receives as many as fit into `HAND_MS`, and if their inputs
 * do, it receives the next chunk while the last input of one runs.
 */
export async function pull(options: PullOptions): Promise<PullEnd> {
  const { signal, onError } = options;
  const settling = new Set<Promise<void>>();
  let size = 1;
  let failures = 0;
  let end = endOf(options, failures);
  let first = true;
  const failed = (error: unknown) => {
    if (signal.aborted) return;
    failures++;
    watching(() => onError?.(error));
  };
  const { untilEmptySeconds: waitSeconds = WAIT_SECONDS } = options;
  const polls = new Polls({ ...options, waitSeconds });
  const settleLater = (hand: Hand, verdicts: Verdicts) => {
    const settled = settle(options, hand, verdicts)
      .catch(failed)
      .finally(() => settling.delete(settled));
    settling.add(settled);
  };
  while (end === undefined) {
    const failuresBefore = failures;
    try {
      const hand = await polls.next(size);
      if (options.untilEmptySeconds && polls.areEmpty) end = 'empty';
      const verdicts: Verdicts = new Map();
      // The other queue's poll goes on meanwhile: what it receives must not wait for long.
      const isFree = polls.whileBusy({
        isQuick: (other) => isForLanes(other) || isFromLane(options, other),
        onOther: () => options.worker.hurry(),
        onHandBack: (other) => settleLater(other, handBack(options, other)),
      });
      try {
        const ahead = () => {
          if (endOf(options, failures) === undefined) polls.ahead(size);
        };
        if (await work(options, hand, { verdicts, first, ahead })) end = 'late';
      } finally {
        isFree();
        first &&= hand.messages.size === 0;
        if (!hand.isLane) size = nextSize(hand);
        settleLater(hand, verdicts);
      }
      if (settling.size >= SETTLING_HANDS) {
        options.worker.flush();
        await Promise.race(settling);
      }
    } catch (error) {
      failed(error);
    }
    if (failures === failuresBefore) failures = 0;
    else await wait(backoffMs(failures), signal);
    end ??= endOf(options, failures);
  }
  polls.end();
  for (const hand of polls.rest()) settleLater(hand, handBack(options, hand));
  await Promise.all(settling);
  return end;
}

function endOf(
  { worker, signal, remainingMs, untilEmptySeconds, maxFailures = Infinity }: PullOptions,
  failures: number,
): PullEnd | undefined {
  if (signal.aborted) return 'stopped';
  if (worker.stuck > 0) return 'worn';
  if (failures >= maxFailures) return 'failing';
  const neededMs = (untilEmptySeconds ?? WAIT_SECONDS) * 1000 + LAST_TAKE_MS;
  return remainingMs && remainingMs() < neededMs ? 'late' : undefined;
}

/** Whether a hand has chunks that are only moved to their lanes. */
function isForLanes({ isLane, messages }: Hand): boolean {
  const all = [...messages.keys()];
  return !isLane && all.length > 0 && all.every(({ body }) => hasFlow(body));
}

/** Whether a hand has a chunk that only leaves its lane: those behind it must not wait for long. */
function isFromLane({ worker }: PullOptions, { isLane, messages }: Hand): boolean {
  return isLane && [...messages.keys()].some((message) => worker.leavesLane(message));
}

/** Sends a hand back that the worker has no time for. */
function handBack({ worker }: PullOptions, { messages }: Hand): Verdicts {
  return new Map(
    Array.from(messages, ([message, claim]) => [message, worker.handBack(message, claim)]),
  );
}

/** Verdicts on a hand's messages. A message without one is released. */
type Verdicts = Map<TaskMessage, Promise<Verdict>>;

/**
 * Works on a hand's messages, one after the other. Returns whether there was no time for one.
 *
 * @param first whether nothing was worked on before: a process with all of its time has enough
 * @param ahead receives the next messages
 */
async function work(
  { worker, onBusy, onBegin, onSettled, remainingMs }: PullOptions,
  hand: Hand,
  { verdicts, first, ahead }: { verdicts: Verdicts; first: boolean; ahead: () => void },
): Promise<boolean> {
  let late = false;
  const waiting = [...hand.messages];
  const expect = (message: TaskMessage, verdict: Promise<Verdict>) => {
    verdicts.set(message, verdict);
    const notify = (one: Verdict) => one === 'done' && watching(() => onSettled?.(message));
    // A rejection is handled where the verdicts are read.
    verdict.then(notify, () => {});
  };
  const handBack = () => {
    for (const [message, claim] of waiting.splice(0)) {
      expect(message, worker.handBack(message, claim));
    }
  };
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [message, claim] = next;
    const misjudged = waiting.length > 0 ? setTimeout(handBack, MISJUDGED_MS) : undefined;
    const begunAt = performance.now();
    watching(() => onBusy?.(true));
    const executed = worker.begin(message, {
      claim,
      remainingMs,
      inTimeOnly: !first || verdicts.size > 0,
      onAlmostFree: () => waiting.length === 0 && ahead(),
      ...(onBegin ? { onBegin: (chunk) => onBegin(message, chunk) } : {}),
    });
    expect(
      message,
      executed.then(({ settled }) => settled),
    );
    const { tooLate = false } = await executed.catch((): Pick<Executed, 'tooLate'> => ({}));
    watching(() => onBusy?.(false));
    late ||= tooLate;
    clearTimeout(misjudged);
    hand.slowestMs = Math.max(hand.slowestMs, performance.now() - begunAt);
    if (worker.stuck > 0 || late) handBack();
  }
  worker.flushSoon();
  return late;
}

/** Deletes the messages that are done, once all have a verdict. */
async function settle(
  { sqs, onDone, signal }: PullOptions,
  hand: Hand,
  verdicts: Verdicts,
): Promise<void> {
  const messages = [...hand.messages.keys()];
  if (messages.length === 0) return;
  let done: TaskMessage[] = [];
  const atOnce = new Set<TaskMessage>();
  try {
    const settled = await Promise.allSettled(messages.map((message) => verdicts.get(message)));
    done = messages.filter((_, at) => {
      const one = settled[at];
      return one?.status === 'fulfilled' && one.value === 'done';
    });
    if (done.length > 0) {
      // A message that is not deleted is redelivered, and its results are dropped as duplicates.
      const Entries = done.map(({ receiptHandle: ReceiptHandle }, id) => ({
        Id: String(id),
        ReceiptHandle,
      }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: hand.queueUrl, Entries }));
    }
    for (const [at, message] of messages.entries()) {
      const one = settled[at];
      if (one?.status === 'rejected' && returnsAtOnce(one.reason, message)) atOnce.add(message);
    }
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
  } finally {
    // A worker that must end does not wait for an unreachable queue: its claims run out.
    const ended = Array.from(hand.messages, ([message, claim]) =>
      signal.aborted || done.includes(message)
        ? claim.end()
        : claim.release({ atOnce: atOnce.has(message) }),
    );
    await Promise.all(ended);
    watching(() => onDone?.(messages));
  }
}

/**
 * Number of messages to receive next, judged by these. It is at most doubled: a few quick messages
 * say little about the next.
 */
function nextSize({ messages, slowestMs }: Hand): number {
  const fitting = Math.floor(HAND_MS / slowestMs);
  return Math.max(1, Math.min(HAND_MESSAGES, fitting, 2 * messages.size));
}
