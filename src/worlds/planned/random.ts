/** A source of random numbers that gives the same ones for the same seed: `mulberry32`. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Numbers that a text stands for. */
  static from(text: string): Random {
    let seed = 0;
    for (const character of text)
      seed = (Math.imul(seed, 31) + (character.codePointAt(0) ?? 0)) | 0;
    return new Random(seed);
  }

  /** A number from 0 up to, but not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** True as often as `rate` says, which is 0 to 1. */
  chance(rate: number): boolean {
    return rate > 0 && this.next() < rate;
  }

  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** Fills bytes. */
  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(this.next() * 256);
  }
}
