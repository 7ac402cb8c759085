import { createHash } from 'node:crypto';
import { FanfoldError } from '../../index.ts';
import type { Checkpoint } from './record.ts';

/** Counts and hashes inputs as they pass, and compares them with those that an earlier run read. */
export class InputHash {
  readonly #hash = createHash('sha256');
  readonly #name: string;
  /** Checkpoints that are not compared yet, in order. */
  readonly #expected: Checkpoint[];
  #read = 0;
  #ended = false;

  /** @param name the output's name, for messages */
  constructor(name: string, expected: readonly Checkpoint[] = []) {
    this.#name = name;
    this.#expected = [...expected];
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
    if (!this.compared) throw this.#changed(`there were ${missing.read} at least, and now fewer`);
  }

  #take(batch: readonly string[]): void {
    let from = 0;
    for (let next = this.#expected[0]; next; next = this.#expected[0]) {
      const at = next.read - this.#read;
      if (at > batch.length - from) break;
      this.#update(batch.slice(from, from + at));
      from += at;
      if (next.end) {
        if (from < batch.length) throw this.#changed(`there were ${next.read}, and now more`);
        // Compared at the end of the inputs, which proves that there are no more.
        return;
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

  #compare({ read, hash }: Checkpoint): void {
    const { checkpoint } = this;
    if (checkpoint.read < read) return;
    if (checkpoint.hash !== hash) throw this.#changed(`some of the first ${read} have changed`);
    this.#expected.shift();
  }

  #changed(how: string): FanfoldError {
    return new FanfoldError(
      'BadInput',
      `--resume: the inputs are not those that ${this.#name} was started with: ${how}. Give the same inputs, or leave out --resume to start again.`,
    );
  }
}
