import type { IndexRange } from '../messages/result-message.ts';

/** The account of a run: it is over when it is sealed and balances. */
export interface Ledger {
  /** Inputs seeded so far; all of them once `sealed`. */
  readonly inputs: number;
  readonly ok: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Results that came again and were dropped. */
  readonly duplicates: number;
  /** Whether all inputs are seeded, so that `inputs` is the total. */
  readonly sealed: boolean;
}

/**
 * Which inputs have their final result, and how many of each kind. The first result of an index
 * wins. A bit an input: ten million take little over a megabyte.
 */
export class Account implements Ledger {
  inputs = 0;
  ok = 0;
  failed = 0;
  cancelled = 0;
  duplicates = 0;
  sealed = false;
  /** Results that others have taken: they don't come here. */
  elsewhere = 0;
  /**
   * Whether results may come of inputs that are not known of yet: of a run that somebody else
   * seeds, or has begun to seed.
   */
  open = false;
  #seen = new Uint8Array(1024);

  /**
   * Enters a result. False when its index has one already, or lies beyond the run's inputs, so
   * that it is not this run's, whoever sent it: drop it.
   */
  enter(index: number, status: 'ok' | 'failed' | 'cancelled'): boolean {
    if (!this.#isKnown(index)) return false;
    const byte = index >>> 3;
    if (byte >= this.#seen.length) this.#grow(byte);
    const bits = this.#seen[byte] ?? 0;
    const bit = 1 << (index & 7);
    if (bits & bit) {
      this.duplicates++;
      return false;
    }
    this.#seen[byte] = bits | bit;
    this[status]++;
    return true;
  }

  /** Enters results that are all `ok`; false, with none entered, when one of them is to be dropped. */
  enterAllOk(ranges: readonly IndexRange[]): boolean {
    // A message names an index twice where its worker received a chunk twice.
    if (!areDisjoint(ranges)) return false;
    for (const [first, last] of ranges) {
      if (!this.#isKnown(last)) return false;
      for (let index = first; index <= last; index++) if (this.has(index)) return false;
    }
    for (const [first, last] of ranges) {
      for (let index = first; index <= last; index++) this.enter(index, 'ok');
    }
    return true;
  }

  /** Whether the input has its final result. */
  has(index: number): boolean {
    return ((this.#seen[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** How many inputs from the first on have their final result, without a gap. */
  get leading(): number {
    let index = 0;
    while (this.has(index)) index++;
    return index;
  }

  get settled(): number {
    return this.ok + this.failed + this.cancelled;
  }

  /** Whether every input has its result, and no more will come. */
  get balanced(): boolean {
    return this.sealed && this.settled + this.elsewhere === this.inputs;
  }

  /** A copy, for those who only read; of the inputs whose results come here. */
  snapshot(): Ledger {
    const inputs = this.inputs - this.elsewhere;
    const { ok, failed, cancelled, duplicates, sealed } = this;
    return { inputs, ok, failed, cancelled, duplicates, sealed };
  }

  #isKnown(index: number): boolean {
    if (this.open) this.inputs = Math.max(this.inputs, index + 1);
    return index < this.inputs;
  }

  #grow(byte: number): void {
    const larger = new Uint8Array(Math.max(byte + 1, this.#seen.length * 2));
    larger.set(this.#seen);
    this.#seen = larger;
  }
}

function areDisjoint(ranges: readonly IndexRange[]): boolean {
  const sorted = ranges.toSorted(([one], [other]) => one - other);
  return sorted.every(([, last], n) => last < (sorted[n + 1]?.[0] ?? Number.POSITIVE_INFINITY));
}
