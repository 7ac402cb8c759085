import { createHash } from 'node:crypto';
import { FanfoldError } from '../../index.ts';
import type { Checkpoint } from './record.ts';

/**
 * Counts and hashes inputs as they pass, and compares them with those that an earlier run read.
 * Inputs may be appended to those of a run that had read all of its own.
 */
export class InputHash {
  readonly #hash = createHash('sha256');
  readonly #name: string;
  /** Checkpoints that are not compared yet, in order. */
  readonly #expected: Checkpoint[];
  readonly #mayGrow: boolean;
  /** Number of inputs that were all inputs of the earlier run. */
  #all: number | undefined;
  #read = 0;
  #ended = false;

  /**
   * @param name the output's name, for messages
   * @param mayGrow whether inputs may be appended
   */
  constructor(name: string, expected: readonly Checkpoint[] = [], mayGrow = true) {
    this.#name = name;
    this.#expected = [...expected];
    this.#mayGrow = mayGrow;
  }

  /** Number of inputs so far that were appended to those of the earlier run. */
  get appended(): number {
    return this.#all === undefined ? 0 : this.#read - this.#all;
  }

  /** Whether all expected checkpoints have matched. */
  get compared(): boolean {
    return this.#expected.length === 0;
  }

  get checkpoint(): Checkpoint {
    const hash = this.#hash.copy().digest('hex');
    return { read: this.#read, hash, ...(this.#ended ? { end: true } : {}) };
  }

  get read(): number {
    return this.#read;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Passes inputs on. @throws FanfoldError when they differ from those that were read before */
  async *watch(batches: AsyncIterable<string[]>): AsyncGenerator<string[], void> {
    for await (const batch of batches) {
      this.#take(batch);
      yield batch;
    }
    this.#ended = true;
    const [missing] = this.#expected;
    if (missing === undefined) return;
    this.#compare(missing);
    if (!this.compared)
      throw this.#changed(`there were at least ${missing.read}, and now there are fewer`);
  }

  #take(batch: readonly string[]): void {
    let from = 0;
    for (let next = this.#expected[0]; next; next = this.#expected[0]) {
      const at = next.read - this.#read;
      if (at > batch.length - from) break;
      this.#update(batch.slice(from, from + at));
      from += at;
      // The end of the inputs may follow, or more inputs.
      if (next.end && from === batch.length) return;
      if (next.end && !this.#mayGrow) {
        throw this.#changed(`there were ${next.read}, and now there are more`);
      }
      this.#compare(next);
    }
    this.#update(from === 0 ? batch : batch.slice(from));
  }

  #update(texts: readonly string[]): void {
    if (texts.length === 0) return;
    this.#hash.update(`${texts.join('\n')}\n`);
    this.#read += texts.length;
  }

  #compare({ read, hash, end }: Checkpoint): void {
    const { checkpoint } = this;
    if (checkpoint.read < read) return;
    if (checkpoint.hash !== hash) throw this.#changed(`some of the first ${read} have changed`);
    this.#expected.shift();
    this.#all = end ? read : undefined;
  }

  #changed(how: string): FanfoldError {
    return new FanfoldError(
      'BadInput',
      `--resume: the inputs are not those that ${this.#name} was started with: ${how}. Give the same inputs, with new ones at their end only, or --overwrite in place of --resume to start again.`,
    );
  }
}
