/** A poll that SQS has answered. */
export interface PollAnswer {
  messages: number;
  /** Characters in the bodies of its messages. */
  length: number;
  /** Time of the answer, in milliseconds. */
  at: number;
  /** From the request to its answer, in milliseconds. */
  tookMs: number;
  /** From the answer until the consumer was ready for it, in milliseconds. */
  heldMs: number;
  /** Whether the request was sent later than possible, to receive more messages at once. */
  wasPaced: boolean;
}

/** SQS returns at most ten messages per receive. */
export const POLL_MESSAGES = 10;

/**
 * Largest number of outstanding polls. 5,000 messages a second take 30 polls of 60 ms that return
 * ten each. A third more makes up for polls that return fewer, as SQS's do until about a thousand
 * messages wait.
 */
export const MOST_POLLS = 40;

/** Interval of polls that return little, in milliseconds. */
const PACE_MS = 25;

/** An answer of fewer than ten messages and fewer characters than this is little. */
const LITTLE_LENGTH = 65_536;

/** Smallest number of polls while answers are large: one is handled while others are under way. */
const POLLS_FOR_MUCH = 3;

/** Most characters that outstanding polls may return, each as much as recent ones did. */
const OUTSTANDING_LENGTH = 16 * 1_048_576;

/** An answer that took this many times as long as the fastest recent one waited for messages. */
const WAITED_TIMES = 2;

/** Longest usual round trip, in milliseconds: a slower answer waited for messages. */
const WAITED_MS = 500;

/** The fastest answer counts as twice as slow after this many milliseconds: networks change. */
const FASTEST_FOR_MS = 60_000;

/** Factor by which the recorded length of the longest answer shrinks at each answer. */
const LENGTH_DECAY = 0.9;

/** Reduction after an answer that waited: one slow answer among many does no harm. */
const SHRINK = 0.5;

/** Longest wait of an answer for the consumer before a poll is removed, in milliseconds. */
const SLOW_CONSUMER_MS = 1_000;

/** Largest number of paced polls between two that are not. */
const MOST_PACED = 32;

/**
 * Decides how many polls of a result queue may be outstanding: sent, with an answer not yet taken.
 *
 * SQS returns fewer messages than it holds while it holds less than about a thousand, so a short
 * answer does not mean that the queue is empty. Only an answer that waited means that: it took
 * clearly longer than the fastest recent one.
 *
 * An answer that did not wait adds polls. Each full answer adds one, which doubles the number in a
 * round trip; short answers add one per round trip. An answer that waited removes half a poll, and
 * an empty answer halves the number.
 *
 * A single poll that returns little is paced, so that messages gather meanwhile. Its answer then
 * says nothing about waiting, so some polls are sent without a pause, ever fewer while these find
 * nothing.
 */
export class PollScaler {
  #count = 1;
  /** The fastest recent answer, and the time of the last comparison. */
  #fastest: { ms: number; at: number } | undefined;
  #length = 0;
  #isLittle = true;
  #paced = 0;
  #pacedUntilProbe = 1;

  /** Largest number of outstanding polls at present. */
  get polls(): number {
    const fitting = Math.floor(OUTSTANDING_LENGTH / Math.max(1, this.#length));
    return Math.max(1, Math.min(Math.floor(this.#count), fitting));
  }

  /** Shortest time between the previous poll and the next, in milliseconds. */
  get paceMs(): number {
    const isPaced = this.#count < 2 && this.#isLittle && this.#paced < this.#pacedUntilProbe;
    return isPaced ? PACE_MS : 0;
  }

  /** Must be called when the consumer is ready for the answer. */
  answered(answer: PollAnswer): void {
    const { messages, length, at, tookMs, heldMs, wasPaced } = answer;
    this.#length = Math.max(length, this.#length * LENGTH_DECAY);
    this.#isLittle = messages < POLL_MESSAGES && length < LITTLE_LENGTH;
    if (messages === 0) {
      this.#resize(this.#count / 2);
      return;
    }
    const waited = this.#hasWaited(tookMs, at);
    const isFull = messages >= POLL_MESSAGES;
    if (!this.#isLittle) this.#resize(Math.max(this.#count, POLLS_FOR_MUCH));
    if (heldMs > SLOW_CONSUMER_MS) this.#resize(this.#count - 1);
    else if (isFull) {
      if (heldMs <= tookMs) this.#resize(this.#count + 1);
    } else if (wasPaced) this.#paced++;
    else if (waited) {
      if (this.#paced > 0) this.#pacedUntilProbe = Math.min(MOST_PACED, 2 * this.#pacedUntilProbe);
      this.#paced = 0;
      this.#resize(this.#count - SHRINK);
    } else {
      this.#pacedUntilProbe = 1;
      this.#paced = 0;
      if (heldMs <= tookMs) this.#resize(this.#count + 1 / this.#count);
    }
  }

  /** Compares an answer with the fastest recent one; the first has nothing to compare with. */
  #hasWaited(tookMs: number, at: number): boolean {
    const before = this.#fastest;
    const ms = before && before.ms * 2 ** ((at - before.at) / FASTEST_FOR_MS);
    this.#fastest = { ms: Math.min(tookMs, ms ?? tookMs), at };
    if (ms === undefined) return true;
    // `WAITED_MS` proves nothing on a network that slow.
    return tookMs > (ms < WAITED_MS ? Math.min(ms * WAITED_TIMES, WAITED_MS) : ms * WAITED_TIMES);
  }

  #resize(count: number): void {
    this.#count = Math.max(1, Math.min(MOST_POLLS, count));
  }
}
