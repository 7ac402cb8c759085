import { isIndex, MAX_RUN_INPUTS } from '../messages/result.ts';
import type { IndexRange } from '../messages/result-message.ts';
import { Bitmap } from './bitmap.ts';

/** The ledger of a run: it is over when it is sealed and balances. */
export interface Ledger {
  /** Number of inputs seeded so far, if known; all inputs once `sealed`. */
  readonly inputs: number;
  /** Number of inputs that ended `ok`. */
  readonly ok: number;
  /** Number of inputs that ended `failed`. */
  readonly failed: number;
  /** Number of inputs that ended `cancelled`. */
  readonly cancelled: number;
  /** Repeated results, which were dropped. */
  readonly duplicates: number;
  /** Whether all inputs are seeded, so that `inputs` is the total. */
  readonly sealed: boolean;
}

/** A ledger in a form that can be stored. */
export interface SavedLedger {
  /** Number of inputs, as far as it is known. */
  inputs: number;
  ok: number;
  failed: number;
  cancelled: number;
  /** Bitmap of the inputs that have a result. */
  settled: Uint8Array;
  /** Bitmap of the inputs that ended `failed`. */
  failures: Uint8Array;
}

/**
 * Records which inputs have their final result, and how many of each status. The first result of an
 * index wins. Each input takes one bit: ten million take little over a megabyte.
 *
 * A ledger is closed, open, or sealed. While it is closed, each index below `inputs` may get a
 * result. While it is open, another process seeds inputs, or has begun to, and each index below
 * `limit` may get one. Results never raise `inputs`: otherwise any sender could claim any number of
 * inputs. Sealing it with the total removes the entries at or above that total.
 */
export class RunLedger implements Ledger {
  #inputs = 0;
  #count = { ok: 0, failed: 0, cancelled: 0 };
  #duplicates = 0;
  #elsewhere = 0;
  #open = false;
  #sealed = false;
  #limit = MAX_RUN_INPUTS;
  readonly #settled = new Bitmap();
  /** The settled inputs that ended `failed`. */
  readonly #failed = new Bitmap();

  get inputs(): number {
    return this.#inputs;
  }

  get ok(): number {
    return this.#count.ok;
  }

  get failed(): number {
    return this.#count.failed;
  }

  get cancelled(): number {
    return this.#count.cancelled;
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  /** Results that another collector has consumed, and this one never receives. */
  get elsewhere(): number {
    return this.#elsewhere;
  }

  /** Records that the run has at least this many inputs. */
  expect(inputs: number): void {
    this.#inputs = Math.max(this.#inputs, inputs);
  }

  /** Accepts results of inputs that are not known here: another process seeds them. */
  open(): void {
    this.#open = true;
  }

  /** Accepts results of known inputs only, as a new ledger does. */
  close(): void {
    this.#open = false;
  }

  /** Balances the ledger without the results that another collector has consumed. */
  consumedElsewhere(results: number): void {
    this.#elsewhere = results;
  }

  /**
   * Enters a result. Returns false if the result must be dropped: its index has one already, or
   * can't be one of the run's.
   */
  enter(index: number, status: 'ok' | 'failed' | 'cancelled'): boolean {
    if (!this.#mayHave(index)) return false;
    if (this.#settled.has(index)) {
      this.#duplicates++;
      return false;
    }
    this.#settled.add(index);
    if (status === 'failed') this.#failed.add(index);
    this.#count[status]++;
    return true;
  }

  /** Enters results that are all `ok`. Returns false, with none entered, if one must be dropped. */
  enterAllOk(ranges: readonly IndexRange[]): boolean {
    // A message repeats an index if its worker received a chunk twice.
    if (!areDisjoint(ranges)) return false;
    for (const [first, last] of ranges) {
      if (!this.#mayHave(first) || !this.#mayHave(last)) return false;
      for (let index = first; index <= last; index++) if (this.#settled.has(index)) return false;
    }
    for (const [first, last] of ranges) {
      for (let index = first; index <= last; index++) this.#settled.add(index);
      this.#count.ok += last - first + 1;
    }
    return true;
  }

  /** Takes a result out, so that its input may get another one. */
  withdraw(index: number, status: 'ok' | 'failed' | 'cancelled'): void {
    this.#count[status]--;
    this.#settled.delete(index);
    this.#failed.delete(index);
  }

  /** Records that an input that ended `ok` is `failed`, since its output is gone. */
  overturn(index: number): void {
    this.withdraw(index, 'ok');
    this.#settled.add(index);
    this.#failed.add(index);
    this.#count.failed++;
  }

  /** Whether the input has its final result. */
  has(index: number): boolean {
    return isIndex(index) && this.#settled.has(index);
  }

  /** Number of inputs, from the first and without a gap, that have their final result. */
  get leading(): number {
    let index = 0;
    while (this.has(index)) index++;
    return index;
  }

  get settled(): number {
    return this.ok + this.failed + this.cancelled;
  }

  get sealed(): boolean {
    return this.#sealed;
  }

  /** Whether the run is sealed and every input has its result, here or elsewhere. */
  get balanced(): boolean {
    return this.#sealed && this.settled + this.#elsewhere === this.#inputs;
  }

  /** Whether an open run has as many results as it can have. */
  get isComplete(): boolean {
    return this.#open && this.settled >= this.#limit;
  }

  /** Records that the run has at most this many inputs. */
  limit(inputs: number): void {
    this.#limit = Math.min(this.#limit, inputs);
    for (const index of this.#settled.from(this.#limit)) {
      this.withdraw(index, this.#failed.has(index) ? 'failed' : 'ok');
    }
  }

  /** Records that all inputs are seeded, and their number. */
  seal(inputs: number): void {
    this.limit(inputs);
    this.#inputs = inputs;
    this.#open = false;
    this.#sealed = true;
  }

  /**
   * Seals a run that ends before its number of inputs is known. Returns the index below which
   * inputs without a result count as the run's.
   *
   * Those are the inputs known for certain, and those below the highest index under which at least
   * half have a result. So there is at most one missing input for each result: a single forged
   * result with a far index can't cause a billion inputs to be reported as lost. Results beyond
   * that index count, because their consumer has them.
   *
   * @param known number of inputs that the run has for certain
   */
  sealUnknown(known: number): number {
    let end = Math.max(this.#inputs, known);
    let results = 0;
    let beyond = 0;
    for (const index of this.#settled.from(0)) {
      results++;
      if (index < end) continue;
      beyond++;
      if (results * 2 <= index) continue;
      end = index + 1;
      beyond = 0;
    }
    this.#inputs = end + beyond;
    this.#open = false;
    this.#sealed = true;
    return end;
  }

  /** What is recorded so far, for a later collector of the run. */
  save(): SavedLedger {
    const { ok, failed, cancelled } = this;
    const bitmaps = { settled: this.#settled.save(), failures: this.#failed.save() };
    return { inputs: this.#inputs, ok, failed, cancelled, ...bitmaps };
  }

  /** A ledger that records what another one saved. */
  static restored({ inputs, settled, failures, ...counts }: SavedLedger): RunLedger {
    const ledger = new RunLedger();
    ledger.expect(inputs);
    ledger.#settled.restore(settled);
    ledger.#failed.restore(failures);
    ledger.#count = counts;
    return ledger;
  }

  /** A copy for readers, of the inputs whose results arrive here. */
  /**
   * Indexes of the inputs that have no result, once all are seeded and at most so many are left.
   *
   * @param most how many
   */
  left(most: number): number[] {
    const left: number[] = [];
    if (!this.#sealed || this.#inputs - this.settled > most) return left;
    for (let index = 0; index < this.#inputs; index++) if (!this.has(index)) left.push(index);
    return left;
  }

  snapshot(): Ledger {
    // An open run has at least as many inputs as results.
    const inputs = Math.max(this.#inputs, this.settled) - this.#elsewhere;
    const { ok, failed, cancelled, duplicates, sealed } = this;
    return { inputs, ok, failed, cancelled, duplicates, sealed };
  }

  /** Bytes used to record which inputs have a result. */
  get bytes(): number {
    return this.#settled.bytes + this.#failed.bytes;
  }

  #mayHave(index: number): boolean {
    return isIndex(index) && index < (this.#open ? this.#limit : this.#inputs);
  }
}

function areDisjoint(ranges: readonly IndexRange[]): boolean {
  const sorted = ranges.toSorted(([one], [other]) => one - other);
  return sorted.every(
    ([first, last], n) => first <= last && last < (sorted[n + 1]?.[0] ?? Number.POSITIVE_INFINITY),
  );
}
