import type { AnyTask } from '../../task.ts';
import type { Chunk, ChunkItem } from '../messages/chunk.ts';
import type { Outgoing } from '../run/send.ts';
import type { Outcome } from './outcome.ts';
import { delayed, furtherAttempts } from './resend.ts';

/** Items of a chunk that run again, each with the wait that its failure asks for. */
export class Retries {
  readonly #task: AnyTask;
  readonly #chunk: Chunk;
  /** Items that wait for as long as their task's backoff says. */
  readonly #again: ChunkItem[] = [];
  /** Other items, by `later` and the seconds that they wait. */
  readonly #told = new Map<string, { seconds: number; later: boolean; items: ChunkItem[] }>();

  constructor(task: AnyTask, chunk: Chunk) {
    this.#task = task;
    this.#chunk = chunk;
  }

  get size(): number {
    return this.indexes.length;
  }

  get indexes(): number[] {
    const told = Array.from(this.#told.values(), ({ items }) => items);
    return [this.#again, ...told].flat().map(({ index }) => index);
  }

  /** Takes a failed attempt, unless it was the input's last one. Returns whether it did. */
  add(outcome: Outcome): boolean {
    if (outcome.ok) return false;
    const { item, failure } = outcome;
    const { retryable, delaySeconds, later = false } = failure;
    if (!retryable || (!later && this.#chunk.attempt >= this.#task.maxAttempts)) return false;
    if (delaySeconds === undefined) {
      this.#again.push(item);
      return true;
    }
    const seconds = Math.ceil(delaySeconds);
    const key = `${later} ${seconds}`;
    const told = this.#told.get(key) ?? { seconds, later, items: [] };
    told.items.push(item);
    this.#told.set(key, told);
    return true;
  }

  /** The task messages for the next attempts. @param now by SQS's clock */
  messages(now: number): Outgoing[] {
    const { attempt } = this.#chunk;
    const told = Array.from(this.#told.values(), ({ seconds, later, items }) =>
      delayed({ ...this.#chunk, attempt: later ? attempt : attempt + 1 }, items, seconds, now),
    );
    return [...furtherAttempts(this.#task, this.#chunk, this.#again), ...told.flat()];
  }
}
