import { isIndex, MAX_RUN_INPUTS } from '../messages/result.ts';
import type { IndexRange } from '../messages/result-message.ts';
import { Bitmap } from './bitmap.ts';

/** The ledger of a run: it is over when it is sealed and balances. */
export interface Ledger {
  /** Inputs seeded so far, as far as that is known; all of them once `sealed`. */
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
 *
 * A ledger is closed, open, or sealed. While it is closed, each index below `inputs` may get a
 * result. While it is open, somebody else seeds inputs, or has begun to, and each index below
 * `limit` may: results never raise `inputs`, since whoever may send one could then claim any number
 * of inputs. Sealing it with the total takes out what was entered at or over that.
 */
export class RunLedger implements Ledger {
  #inputs = 0;
  readonly #count = { ok: 0, failed: 0, cancelled: 0 };
  #duplicates = 0;
  #elsewhere = 0;
  #open = false;
  #sealed = false;
  #limit = MAX_RUN_INPUTS;
  readonly #settled = new Bitmap(MAX_RUN_INPUTS);
  /** Which of the settled inputs are not `ok`. */
  readonly #failed = new Bitmap(MAX_RUN_INPUTS);

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

  /** Results that another collector has consumed: this one never receives them. */
  get elsewhere(): number {
    return this.#elsewhere;
  }

  /** Notes that the run has at least so many inputs. */
  expect(inputs: number): void {
    this.#inputs = Math.max(this.#inputs, inputs);
  }

  /** Accepts results of inputs that are not known here: another process seeds them. */
  open(): void {
    this.#open = true;
  }

  /** Accepts results of the inputs that are known alone, as a new ledger does. */
  close(): void {
    this.#open = false;
  }

  /** Balances the ledger without results that another collector has consumed. */
  consumedElsewhere(results: number): void {
    this.#elsewhere = results;
  }

  /**
   * Enters a result. False when its index has one already, or can't be one of the run's, whoever
   * sent it: drop it.
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

  /** Enters results that are all `ok`; false, with none entered, when one of them is to be dropped. */
  enterAllOk(ranges: readonly IndexRange[]): boolean {
    // A message names an index twice where its worker received a chunk twice.
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

  /** Whether the input has its final result. */
  has(index: number): boolean {
    return isIndex(index) && this.#settled.has(index);
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

  get sealed(): boolean {
    return this.#sealed;
  }

  /** Whether every input has its result, and no more will come. */
  get balanced(): boolean {
    return this.#sealed && this.settled + this.#elsewhere === this.#inputs;
  }

  /** Whether an open run has as many results as it can have. */
  get isComplete(): boolean {
    return this.#open && this.settled >= this.#limit;
  }

  /** Notes that the run has at most so many inputs. */
  limit(inputs: number): void {
    this.#limit = Math.min(this.#limit, inputs);
    for (const index of this.#settled.from(this.#limit)) this.#takeOut(index);
  }

  /** Notes that all inputs are seeded, and how many they are. */
  seal(inputs: number): void {
    this.limit(inputs);
    this.#inputs = inputs;
    this.#open = false;
    this.#sealed = true;
  }

  /**
   * Seals a run that ends before anybody has said how many inputs it has; gives the index below
   * which inputs without a result are taken to be the run's.
   *
   * Those are the inputs known for certain, and those below the highest index under which at least
   * half have a result. So there is never more than one missing input for each result, and a
   * single result with a far index, which anybody who may send to the queue can forge, does not
   * have a billion inputs reported as lost. Results beyond count, as their consumer has them.
   *
   * @param known how many inputs the run has for certain
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

  /** A copy, for those who only read; of the inputs whose results come here. */
  snapshot(): Ledger {
    // An open run has as many inputs as it has results, at least.
    const inputs = Math.max(this.#inputs, this.settled) - this.#elsewhere;
    const { ok, failed, cancelled, duplicates, sealed } = this;
    return { inputs, ok, failed, cancelled, duplicates, sealed };
  }

  /** Bytes that it takes to know which inputs have their result. */
  get bytes(): number {
    return this.#settled.bytes + this.#failed.bytes;
  }

  #mayHave(index: number): boolean {
    return isIndex(index) && index < (this.#open ? this.#limit : this.#inputs);
  }

  #takeOut(index: number): void {
    this.#count[this.#failed.has(index) ? 'failed' : 'ok']--;
    this.#settled.delete(index);
    this.#failed.delete(index);
  }
}

function areDisjoint(ranges: readonly IndexRange[]): boolean {
  const sorted = ranges.toSorted(([one], [other]) => one - other);
  return sorted.every(
    ([first, last], n) => first <= last && last < (sorted[n + 1]?.[0] ?? Number.POSITIVE_INFINITY),
  );
}
