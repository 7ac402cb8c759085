import { randomFrom } from '../../planning/random.ts';

/** A source of random numbers that gives the same ones for the same seed. */
export class Random {
  /** A number from 0 up to, but not including, 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = randomFrom(seed);
  }

  /** Numbers that a text stands for. */
  static from(text: string): Random {
    let seed = 0;
    for (const character of text)
      seed = (Math.imul(seed, 31) + (character.codePointAt(0) ?? 0)) | 0;
    return new Random(seed);
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
