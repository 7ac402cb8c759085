import { createHash } from 'node:crypto';
import { FanfoldError } from '../../errors.ts';
import type { InputsMark } from '../messages/inputs-mark.ts';

type HashMark = Extract<InputsMark, { read: number }>;

/**
 * Hashes inputs as they pass, and compares them with those of an earlier run. Inputs may be appended
 * to those.
 */
export class InputsHash {
  readonly #hash = createHash('sha256');
  #expected: HashMark | undefined;
  #read = 0;

  /** @param expected mark of the earlier run's inputs. @default they are not compared */
  constructor(expected?: HashMark) {
    this.#expected = expected;
  }

  /** Number of inputs that have passed. */
  get read(): number {
    return this.#read;
  }

  /** The mark of the inputs so far. */
  get mark(): HashMark {
    return { read: this.#read, sha256: this.#hash.copy().digest('base64url') };
  }

  /** @throws FanfoldError `BadInput` when the inputs are others than those of the earlier run */
  take(texts: readonly string[]): void {
    const at = (this.#expected?.read ?? Number.POSITIVE_INFINITY) - this.#read;
    this.#update(texts.slice(0, at));
    if (at > texts.length) return;
    const { read, sha256 } = this.mark;
    if (sha256 !== this.#expected?.sha256) {
      throw new FanfoldError(
        'BadInput',
        `Some of the first ${read} inputs have changed since the run that is to be continued read them. Continue it with the same inputs, to which others may be appended; or start a run over the new ones.`,
      );
    }
    this.#expected = undefined;
    this.#update(texts.slice(at));
  }

  #update(texts: readonly string[]): void {
    if (texts.length > 0) this.#hash.update(`${texts.join('\n')}\n`);
    this.#read += texts.length;
  }
}
