/** A bucket of a sketch and the number of values in it. */
export type Counted = readonly [bucket: number, count: number];

/** End of a bucket in multiples of its beginning: a value is known to within 4.5 %. */
const GROWTH = 1.09;
const GROWTH_LOG = Math.log(GROWTH);

/** Values up to this one are in the first bucket. In milliseconds, it is a microsecond. */
const SMALLEST = 0.001;

/** The last bucket: a thousand years, in milliseconds. */
export const LAST_BUCKET = 440;

/** The bucket of a value. Each bucket is 9 % wider than the one before. */
export function bucketOf(value: number): number {
  if (!(value > SMALLEST)) return 0;
  return Math.min(LAST_BUCKET, Math.ceil(Math.log(value / SMALLEST) / GROWTH_LOG));
}

/** The largest value of a bucket. */
export function upperBound(bucket: number): number {
  return SMALLEST * GROWTH ** bucket;
}

/** How values are distributed, in constant memory. Sketches of several sources can be merged. */
export class Sketch {
  readonly #counts: number[] = [];
  #count = 0;

  /** @param counted the values that are in it at first. @default none */
  constructor(counted: Iterable<Counted> = []) {
    this.merge(counted);
  }

  /** Number of values. */
  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    this.merge([[bucketOf(value), 1]]);
  }

  merge(counted: Iterable<Counted>): void {
    for (const [bucket, count] of counted) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.#count += count;
    }
  }

  /** The buckets that have values, in their order. */
  get counted(): Counted[] {
    // Buckets without values are holes, which forEach leaves out.
    const counted: Counted[] = [];
    this.#counts.forEach((count, bucket) => {
      counted.push([bucket, count]);
    });
    return counted;
  }

  /**
   * The value that this share of all values is at most: `quantile(0.5)` is the median. Undefined
   * without values.
   */
  quantile(share: number): number | undefined {
    let left = Math.max(1, Math.ceil(share * this.#count));
    for (const [bucket, count] of this.counted) {
      left -= count;
      // Half a bucket below its end is at most 4.5 % from any of its values.
      if (left <= 0) return upperBound(bucket - 0.5);
    }
    return undefined;
  }
}
