import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { backoffMs, wait } from '../../retry.ts';
import { Stopwatch } from '../../stopwatch.ts';
import type { Chunk } from '../messages/chunk.ts';
import type { TaskMessage, Verdict } from './chunk-execution.ts';
import { CLAIM_SECONDS, Claim } from './claim.ts';
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

/** A chunk that takes this long was misjudged: messages behind it in the hand are handed back. */
const MISJUDGED_MS = 250;

/** Most hands whose results are still being sent while the next ones are worked on. */
const SETTLING_HANDS = 10;

/**
 * Receives chunks from the task queue and works on them, one at a time, until it is stopped or its
 * process is worn out. While results are sent and messages deleted, the next chunks are received
 * and started. It receives one message at first, so that none waits here while another worker is
 * free. If chunks take milliseconds, it receives as many as fit into `HAND_MS`.
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
  while (end === undefined) {
    const failuresBefore = failures;
    try {
      const hand = await receive(options, size);
      if (hand.messages.size === 0 && options.untilEmptySeconds) end = 'empty';
      const verdicts: Verdicts = new Map();
      try {
        if (await work(options, hand, verdicts, first)) end = 'late';
      } finally {
        first &&= hand.messages.size === 0;
        size = nextSize(hand);
        const settled = settle(options, hand, verdicts)
          .catch(failed)
          .finally(() => settling.delete(settled));
        settling.add(settled);
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

/** Messages that were received together, each with the worker's claim on it. */
interface Hand {
  messages: ReadonlyMap<TaskMessage, Claim>;
  /** Longest time that one of them kept the worker busy, in milliseconds. */
  slowestMs: number;
}

async function receive(
  { sqs, taskQueueUrl: queueUrl, signal, onTaken, untilEmptySeconds }: PullOptions,
  size: number,
): Promise<Hand> {
  const sinceReceive = new Stopwatch();
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: size,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      WaitTimeSeconds: untilEmptySeconds ?? WAIT_SECONDS,
      VisibilityTimeout: CLAIM_SECONDS,
    }),
    { abortSignal: signal },
  );
  const messages = new Map<TaskMessage, Claim>();
  for (const message of Messages.map(taskMessage)) {
    const { receiptHandle } = message;
    messages.set(message, new Claim({ sqs, queueUrl, receiptHandle, sinceReceive }));
  }
  if (messages.size > 0) watching(() => onTaken?.([...messages.keys()]));
  return { messages, slowestMs: 0 };
}

/** Verdicts on a hand's messages. A message without one is released. */
type Verdicts = Map<TaskMessage, Promise<Verdict>>;

/**
 * Works on a hand's messages, one after the other. Returns whether there was no time for one.
 *
 * @param first whether nothing was worked on before: a process with all of its time has enough
 */
async function work(
  { worker, onBegin, onSettled, remainingMs }: PullOptions,
  hand: Hand,
  verdicts: Verdicts,
  first: boolean,
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
    const executed = worker.begin(message, {
      claim,
      remainingMs,
      inTimeOnly: !first || verdicts.size > 0,
      ...(onBegin ? { onBegin: (chunk) => onBegin(message, chunk) } : {}),
    });
    expect(
      message,
      executed.then(({ settled }) => settled),
    );
    const { tooLate = false } = await executed.catch((): Pick<Executed, 'tooLate'> => ({}));
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
  { sqs, taskQueueUrl, onDone, signal }: PullOptions,
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
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: taskQueueUrl, Entries }));
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

function taskMessage(message: Message): TaskMessage {
  const { MessageId: id = '', Body: body = '', ReceiptHandle: receiptHandle = '' } = message;
  const receiveCount = Number(message.Attributes?.ApproximateReceiveCount ?? 1);
  return { id, body, receiptHandle, receiveCount };
}
