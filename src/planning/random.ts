/** Draws numbers from 0 to 1, without 1: the same ones for the same seed. */
export type Random = () => number;

/** The generator mulberry32: small, fast, and good enough for samples. */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 to `below`, without `below`. */
export function drawBelow(below: number, random: Random): number {
  return Math.floor(random() * below);
}

/** A number of the standard normal distribution, by Box and Muller. */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
