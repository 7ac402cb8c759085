import {
  type Message,
  type MessageSystemAttributeName,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { Stopwatch } from '../../stopwatch.ts';
import { isDenied, isMissingQueue } from '../call-errors.ts';
import { laneQueueUrl } from '../queue-urls.ts';
import { CLAIM_SECONDS, Claim } from './claim.ts';
import type { TaskMessage } from './task-message.ts';
import { watching } from './watching.ts';

/** Messages that were received together, each with the worker's claim on it. */
export interface Hand {
  queueUrl: string;
  isLane: boolean;
  messages: ReadonlyMap<TaskMessage, Claim>;
  /** Longest time that one of them kept the worker busy, in milliseconds. */
  slowestMs: number;
}

export interface PollOptions {
  sqs: SQSClient;
  taskQueueUrl: string;
  /** Aborting it ends the polls. */
  signal: AbortSignal;
  /** Seconds that a poll waits for a message. */
  waitSeconds: number;
  /** Called with messages that were received. */
  onTaken?: ((messages: readonly TaskMessage[]) => void) | undefined;
}

export interface WhileBusy {
  isQuick: (hand: Hand) => boolean;
  onOther: () => void;
  onHandBack: (hand: Hand) => void;
}

type Polled = { url: string } & ({ hand: Hand } | { error: unknown });

/** A chunk that takes this long was misjudged: messages that wait behind it are handed back. */
export const MISJUDGED_MS = 250;

/** Pause before another look for the queue of lanes, which an older deployment lacks; in ms. */
const NO_LANES_MS = 60_000;

/**
 * The polls of the task queue and of the queue of lanes. Both go on at once, since a worker waits
 * for either; what arrives first is worked on.
 */
export class Polls {
  readonly #options: PollOptions;
  readonly #queues: readonly { url: string; isLane: boolean }[];
  readonly #underWay = new Set<string>();
  readonly #arrived: Polled[] = [];
  readonly #empty = new Set<string>();
  #noLanesUntil = 0;
  #size = 1;
  /** Ends the polls that are under way when the loop ends. */
  readonly #end = new AbortController();
  // Not a promise of each poll: a poll may take long, and would retain all that waits beside it.
  #onArrival: (() => void) | undefined;

  constructor(options: PollOptions) {
    this.#options = options;
    const { taskQueueUrl, signal } = options;
    this.#queues = [
      { url: taskQueueUrl, isLane: false },
      { url: laneQueueUrl(taskQueueUrl), isLane: true },
    ];
    signal.addEventListener('abort', () => this.end());
    if (signal.aborted) this.end();
  }

  /** Whether all queues were empty when they were polled last. */
  get areEmpty(): boolean {
    return this.#queues.every(({ url, isLane }) => this.#empty.has(url) || this.#isMissing(isLane));
  }

  /**
   * The next messages of any queue.
   *
   * @param size most messages to receive from the task queue
   * @throws errors of the call
   */
  async next(size: number): Promise<Hand> {
    this.#size = size;
    this.#pollAll();
    while (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        this.#onArrival = resolve;
      });
    }
    this.#onArrival = undefined;
    return this.#take(0);
  }

  /**
   * Watches the other polls while the worker is busy, until the function that it returns is called.
   *
   * @param isQuick whether messages that arrive cost no time, and are handed back at once
   * @param onOther called when other messages arrive
   * @param onHandBack called with these if the worker is still busy after a moment
   */
  whileBusy({ isQuick, onOther, onHandBack }: WhileBusy): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = () => {
      const at = this.#arrived.findIndex((polled) => 'hand' in polled);
      if (at >= 0) onHandBack(this.#take(at));
    };
    const look = () => {
      const quick = this.#arrived.findIndex((one) => 'hand' in one && isQuick(one.hand));
      if (quick >= 0) {
        const hand = this.#take(quick);
        onHandBack(hand);
        this.#pollAll(hand.queueUrl);
      }
      const other = this.#arrived.some((one) => 'hand' in one && one.hand.messages.size > 0);
      if (!other) return;
      onOther();
      timer ??= setTimeout(late, MISJUDGED_MS);
    };
    this.#onArrival = look;
    look();
    return () => {
      clearTimeout(timer);
      this.#onArrival = undefined;
    };
  }

  /**
   * Polls the task queue while the worker is busy for a moment more, so that it need not wait then.
   *
   * @param size most messages to receive
   */
  ahead(size: number): void {
    this.#size = size;
    this.#pollAll(this.#options.taskQueueUrl);
  }

  /** Takes the messages that have arrived and will not be worked on. */
  *rest(): Generator<Hand> {
    for (const polled of this.#arrived.splice(0)) if ('hand' in polled) yield polled.hand;
  }

  end(): void {
    this.#end.abort();
  }

  /** @param only the one queue to poll: a chunk of another one would wait for a free worker here */
  #pollAll(only?: string): void {
    for (const { url, isLane } of this.#queues) {
      if (only !== undefined && only !== url) continue;
      const isWaiting = this.#arrived.some((polled) => polled.url === url);
      if (isWaiting || this.#underWay.has(url)) continue;
      if (this.#isMissing(isLane)) continue;
      this.#underWay.add(url);
      void this.#poll(url, isLane, this.#size);
    }
  }

  #isMissing(isLane: boolean): boolean {
    return isLane && performance.now() < this.#noLanesUntil;
  }

  #take(at: number): Hand {
    const [polled] = this.#arrived.splice(at, 1) as [Polled];
    this.#underWay.delete(polled.url);
    if (!('hand' in polled)) throw polled.error;
    if (polled.hand.messages.size > 0) this.#empty.clear();
    else this.#empty.add(polled.url);
    return polled.hand;
  }

  async #poll(url: string, isLane: boolean, size: number): Promise<void> {
    try {
      const hand = await receive(this.#options, url, isLane, size, this.#end.signal);
      this.#arrived.push({ url, hand });
    } catch (error) {
      const hasNoLanes = isLane && isMissingQueue(error);
      // The policies of an older deployment do not name the queue, so AWS denies access instead.
      if (hasNoLanes || (isLane && isDenied(error))) {
        this.#noLanesUntil = performance.now() + NO_LANES_MS;
      }
      const nothing = { queueUrl: url, isLane, messages: new Map(), slowestMs: 0 };
      this.#arrived.push(hasNoLanes ? { url, hand: nothing } : { url, error });
    }
    this.#onArrival?.();
  }
}

async function receive(
  { sqs, onTaken, waitSeconds }: PollOptions,
  queueUrl: string,
  isLane: boolean,
  size: number,
  abortSignal: AbortSignal,
): Promise<Hand> {
  const sinceReceive = new Stopwatch();
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      // A second message of a lane would hold the lane up until the first one is done.
      MaxNumberOfMessages: isLane ? 1 : size,
      MessageSystemAttributeNames: isLane ? LANE_ATTRIBUTES : ['ApproximateReceiveCount'],
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: CLAIM_SECONDS,
    }),
    { abortSignal },
  );
  const messages = new Map<TaskMessage, Claim>();
  for (const message of Messages.map(taskMessage)) {
    const { receiptHandle } = message;
    messages.set(message, new Claim({ sqs, queueUrl, receiptHandle, sinceReceive }));
  }
  if (messages.size > 0) watching(() => onTaken?.([...messages.keys()]));
  return { queueUrl, isLane, messages, slowestMs: 0 };
}

const LANE_ATTRIBUTES: MessageSystemAttributeName[] = [
  'ApproximateReceiveCount',
  'ApproximateFirstReceiveTimestamp',
  'MessageGroupId',
];

function taskMessage(message: Message): TaskMessage {
  const { MessageId: id = '', Body: body = '', ReceiptHandle: receiptHandle = '' } = message;
  const { ApproximateReceiveCount = 1, ...more } = message.Attributes ?? {};
  const first = more.ApproximateFirstReceiveTimestamp;
  return {
    ...{ id, body, receiptHandle, receiveCount: Number(ApproximateReceiveCount) },
    group: more.MessageGroupId,
    firstReceivedAt: first === undefined ? undefined : Number(first),
  };
}
