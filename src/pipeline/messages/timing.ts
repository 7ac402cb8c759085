import { bucketOf, type Counted, LAST_BUCKET } from '../../report/sketch.ts';

/**
 * When the results of a message ended and how long they took, without their details. Times are in
 * milliseconds since 1970, by SQS's clock.
 */
export interface Timing {
  /** Start of the first attempt. */
  started: number;
  /** End of the first attempt that ended, and of the last. */
  ended: readonly [first: number, last: number];
  failed: number;
  /** Sum of the durations, in milliseconds. */
  ranMs: number;
  durations: readonly Counted[];
  /** When the worker sent back the rest of a chunk, as its slice was over. */
  sliced?: number | undefined;
}

/** The timing of a message that is being put together. */
export class TimingDraft {
  #startedAt = Number.POSITIVE_INFINITY;
  #firstAt = 0;
  #lastAt = 0;
  #failed = 0;
  #ranMs = 0;
  #count = 0;
  #slicedAt: number | undefined;
  // A quarter faster than a map, at a million results.
  readonly #counts = new Uint32Array(LAST_BUCKET + 1);

  add(ms: number, ok: boolean): void {
    const now = Date.now();
    if (this.#count === 0) this.#firstAt = now;
    this.#count++;
    this.#lastAt = now;
    this.#startedAt = Math.min(this.#startedAt, now - ms);
    if (!ok) this.#failed++;
    this.#ranMs += ms;
    const bucket = bucketOf(ms);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** The worker sends back the rest of a chunk, as its slice is over. */
  sliced(): void {
    this.#slicedAt = Date.now();
  }

  /** @param aheadMs what must be added to this process's clock to get SQS's */
  timing(aheadMs: number): Timing {
    const at = (time: number) => Math.round(time + aheadMs);
    return {
      started: at(this.#startedAt),
      ended: [at(this.#firstAt), at(this.#lastAt)],
      failed: this.#failed,
      ranMs: Math.round(this.#ranMs),
      durations: [...this.#counts.entries()].filter(([, count]) => count > 0),
      sliced: this.#slicedAt === undefined ? undefined : at(this.#slicedAt),
    };
  }
}

/**
 * Reads the timing of a message with so many results. Undefined if there is none, as in messages of
 * earlier versions, or an impossible one.
 */
export function readTiming(value: unknown, results: number): Timing | undefined {
  const given = (value ?? {}) as Record<string, unknown>;
  const { started, ended, failed, ranMs, durations } = given;
  const [first, last] = Array.isArray(ended) ? ended : [];
  const isOrdered = isTime(started) && isTime(first) && isTime(last) && started <= last;
  if (!isOrdered || first > last || !isCount(failed) || failed > results) return undefined;
  if (!isTime(ranMs) || !isDistribution(durations, results)) return undefined;
  const sliced = isTime(given.sliced) ? { sliced: given.sliced } : {};
  return { started, ended: [first, last], failed, ranMs, durations, ...sliced };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isDistribution(value: unknown, results: number): value is Counted[] {
  if (!Array.isArray(value)) return false;
  let sum = 0;
  for (const entry of value) {
    const [bucket, count] = Array.isArray(entry) ? entry : [];
    if (!isCount(bucket) || bucket > LAST_BUCKET || !isCount(count)) return false;
    sum += count;
  }
  return sum === results;
}
