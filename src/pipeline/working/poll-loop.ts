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
  /** Ends the loop: at once where it waits for a chunk, else after the chunk that is worked on. */
  signal: AbortSignal;
  /**
   * Seconds that a receive waits for a chunk; when none has come by then, the loop ends: 1 to 20.
   * @default the loop goes on without an end
   */
  untilEmptySeconds?: number;
  /** Milliseconds until this process must have ended; without it there is no such limit. */
  remainingMs?: () => number;
  /** Calls or chunks in a row that fail, after which the loop ends. @default without a limit */
  maxFailures?: number;
  /** Told of messages that are in the worker's hand now. */
  onTaken?: (messages: readonly TaskMessage[]) => void;
  /** Told of each chunk whose items are about to run. */
  onBegin?: (message: TaskMessage, chunk: Chunk) => void;
  /** Told of each message that is done with, and is deleted when the others of its hand are. */
  onSettled?: (message: TaskMessage) => void;
  /** Told of messages that are in its hand no more. */
  onDone?: (messages: readonly TaskMessage[]) => void;
  /** Told what went wrong with a call or a chunk; the loop goes on. */
  onError?: (error: unknown) => void;
}

/**
 * Why the loop ended: it was told to; its process is worn out by functions that go on after their
 * time; there was no chunk; its process must end soon; or what it did failed time and again.
 */
export type PullEnd = 'stopped' | 'worn' | 'empty' | 'late' | 'failing';

/** Seconds that a receive waits for a chunk: SQS's longest. */
const WAIT_SECONDS = 20;

/** What must remain of its process's time for a worker to take a chunk, beyond the wait for it. */
const LAST_TAKE_MS = 10_000;

/** The most messages in a hand: SQS gives out ten at most. */
const HAND_MESSAGES = 10;

/** What a worker has in its hand may keep it busy for about so long: no other waits for it longer. */
const HAND_MS = 50;

/** A chunk that takes so long was misjudged: what waits behind it in the hand is handed back. */
const MISJUDGED_MS = 250;

/** Hands whose results are still being sent, together where they are quick, while the next are worked on. */
const SETTLING_HANDS = 10;

/**
 * Takes chunks from the task queue and works on them, one at a time, until told to stop or its
 * process is worn out. While results are sent and messages deleted, the next are received and
 * begun. One message is taken at first, so that none waits in a hand while another worker is
 * free; where chunks take milliseconds, as many as fit into a moment.
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

/** Messages that were received together, each with the worker's hold on it. */
interface Hand {
  messages: ReadonlyMap<TaskMessage, Claim>;
  /** How long the slowest of them kept the worker busy. */
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

/** What is to become of each of a hand's messages; one that has none is released. */
type Verdicts = Map<TaskMessage, Promise<Verdict>>;

/**
 * Works on a hand's messages, one after the other. Says whether there was no time for one.
 *
 * @param first whether nothing was worked on before: a process that has all its time has enough
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
    const tell = (one: Verdict) => one === 'done' && watching(() => onSettled?.(message));
    // A failure is met where the verdicts are looked at.
    verdict.then(tell, () => {});
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

/** Deletes the messages that are done, when all have their verdict. */
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
      // An entry that fails comes again, and its results are dropped as duplicates.
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
    // A worker that must end does not wait for a queue that can't be reached: its claims run out.
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
 * How many messages to take next, judging by these. Twice as many at most: a few quick ones tell
 * little about the next.
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
