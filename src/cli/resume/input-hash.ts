import { createHash } from 'node:crypto';
import { FanfoldError } from '../../index.ts';
import { InputSums } from './input-sums.ts';
import type { Checkpoint } from './record.ts';

/** Inputs that have a checksum of their own: they take 50 MB of the record at most. */
const MOST_SUMS = 10_000_000;

export interface InputHashOptions {
  /** Checkpoints of the earlier run. @default none */
  expected?: readonly Checkpoint[];
  /** Allows appended inputs. @default true */
  mayGrow?: boolean;
  /** Number of inputs, from the first, that the record covers. @default 0 */
  covered?: number;
  /** Allows a change of the input. @default no input may change */
  mayChange?: (index: number) => Promise<boolean>;
  /** Origin of an input, for messages. */
  locate?: (index: number) => string | undefined;
}

/**
 * Counts and hashes inputs as they pass, and compares them with those that an earlier run read.
 * Inputs may be appended to those of a run that had read all of its own. One hash over all inputs
 * proves that they are the same. If they are not, a checksum of each tells which have changed.
 */
export class InputHash {
  readonly #hash = createHash('sha256');
  readonly #name: string;
  readonly #options: InputHashOptions;
  /** Checkpoints that are not compared yet, in order. */
  readonly #expected: Checkpoint[];
  /** Number of inputs that were all inputs of the earlier run. */
  #all: number | undefined;
  #read = 0;
  #ended = false;
  /** Checksums of the inputs from index `#sumsFrom` on. */
  readonly #sums = new InputSums();
  #sumsFrom: number;
  /** Number of inputs that have been compared. */
  #compared = 0;
  #changed = 0;

  /** @param name the output's name, for messages */
  constructor(name: string, options: InputHashOptions = {}) {
    this.#name = name;
    this.#options = options;
    this.#expected = [...(options.expected ?? [])];
    this.#sumsFrom = this.compared ? (options.covered ?? 0) : 0;
  }

  /** Number of inputs so far that were appended to those of the earlier run. */
  get appended(): number {
    return this.#all === undefined ? 0 : this.#read - this.#all;
  }

  /** Number of inputs that have changed, as they may. */
  get changed(): number {
    return this.#changed;
  }

  /** Whether all expected checkpoints have matched. */
  get compared(): boolean {
    return this.#expected.length === 0;
  }

  get read(): number {
    return this.#read;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Returns the state, with the checksums since the state that was taken before. */
  take(): Checkpoint {
    const sums = this.#hasAllSums ? { sums: this.#sums.text } : {};
    this.#forget();
    return { read: this.#read, hash: this.#digest(), ...sums, ...(this.#ended && { end: true }) };
  }

  /** Passes inputs on. @throws FanfoldError when they differ from those that were read before */
  async *watch(batches: AsyncIterable<string[]>): AsyncGenerator<string[], void> {
    for await (const batch of batches) {
      await this.#take(batch);
      yield batch;
    }
    this.#ended = true;
    for (const expected of [...this.#expected]) await this.#compare(expected);
  }

  async #take(batch: readonly string[]): Promise<void> {
    let from = 0;
    for (let next = this.#expected[0]; next; next = this.#expected[0]) {
      const at = next.read - this.#read;
      if (at > batch.length - from) break;
      this.#update(batch.slice(from, from + at));
      from += at;
      // The end of the inputs may follow, or more inputs.
      if (next.end && from === batch.length) return;
      if (next.end && this.#options.mayGrow === false) {
        throw this.#refusal(`there were ${next.read}, and now there are more`);
      }
      await this.#compare(next);
    }
    this.#update(from === 0 ? batch : batch.slice(from));
  }

  #update(texts: readonly string[]): void {
    if (texts.length === 0) return;
    this.#hash.update(`${texts.join('\n')}\n`);
    const known = Math.max(0, this.#sumsFrom - this.#read);
    this.#read += texts.length;
    if (this.#read > MOST_SUMS) return;
    this.#sums.add(texts, known);
  }

  async #compare(expected: Checkpoint): Promise<void> {
    const { read, hash, end } = expected;
    if (this.#digest() !== hash) await this.#findChanges(expected);
    this.#expected.shift();
    this.#compared = Math.min(read, this.#read);
    this.#all = end ? this.#compared : undefined;
    if (this.#options.mayChange === undefined) this.#forget();
  }

  /** @throws FanfoldError unless all changes since the last checkpoint are found and allowed */
  async #findChanges({ read, sums }: Checkpoint): Promise<void> {
    const { mayChange, locate } = this.#options;
    const before = InputSums.fromText(sums ?? '');
    const isKnown = sums !== undefined && this.#hasAllSums;
    const first = read - before.length;
    for (let at = 0; isKnown && at < before.length; at++) {
      if (before.at(at) === this.#sums.at(first + at - this.#sumsFrom)) continue;
      const index = first + at;
      if (!(await mayChange?.(index))) throw this.#refusal(this.#changeOf(index, read, locate));
      this.#changed++;
    }
    if (!isKnown || this.#changed === 0) {
      throw this.#refusal(this.#changeOf(undefined, read, locate));
    }
  }

  #changeOf(index: number | undefined, before: number, locate: InputHashOptions['locate']): string {
    if (this.#read < before && (index === undefined || index >= this.#read)) {
      return `there were at least ${before}, and now there are fewer`;
    }
    if (index === undefined) return `some of the first ${before} have changed`;
    const place = locate?.(index);
    return `input ${index}${place ? ` (${place})` : ''} has changed`;
  }

  /** True if all inputs since `#sumsFrom` have checksums. */
  get #hasAllSums(): boolean {
    return this.#sumsFrom + this.#sums.length === this.#read;
  }

  #digest(): string {
    return this.#hash.copy().digest('hex');
  }

  #forget(): void {
    this.#sums.clear();
    this.#sumsFrom = this.#read;
  }

  #refusal(how: string): FanfoldError {
    const unless = this.#options.mayChange
      ? ' (those without a result, and with --retry-failed those that failed, may be corrected in their places)'
      : '';
    return new FanfoldError(
      'BadInput',
      `--resume: the inputs are not those that ${this.#name} was started with: ${how}. Give the same inputs, with new ones at their end only${unless}, or --overwrite in place of --resume to start again.`,
    );
  }
}
