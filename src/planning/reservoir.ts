import { drawBelow, type Random } from './random.ts';

/** A text of a sample. */
export interface Drawn {
  /** Number of texts before it. */
  index: number;
  text: string;
}

/**
 * A uniform random sample of texts whose number is not known before, in constant memory: Vitter's
 * algorithm R.
 */
export class Reservoir {
  readonly #size: number;
  readonly #random: Random;
  readonly #drawn: Drawn[] = [];
  #count = 0;
  #bytes = 0;

  constructor(size: number, random: Random) {
    this.#size = size;
    this.#random = random;
  }

  add(text: string): void {
    const index = this.#count++;
    this.#bytes += Buffer.byteLength(text);
    if (index < this.#size) {
      this.#drawn.push({ index, text });
      return;
    }
    const at = drawBelow(this.#count, this.#random);
    if (at < this.#size) this.#drawn[at] = { index, text };
  }

  /** Number of texts that were added. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The sample in random order, so that each beginning of it is a sample, too. */
  drawn(): Drawn[] {
    const ranked = this.#drawn.map((drawn) => ({ drawn, rank: this.#random() }));
    return ranked.toSorted((a, b) => a.rank - b.rank).map(({ drawn }) => drawn);
  }
}
