import type { SampledInput } from './planned-run.ts';
import { drawBelow, type Random } from './random.ts';

const RESAMPLES = 300;

/**
 * Two resamples of a sample, by bootstrap: of 300, those whose work is more than that of 5 %, and of
 * 95 %. A simulation of all of them would take too long.
 */
export function lowAndHigh(
  sample: readonly SampledInput[],
  random: Random,
): [low: SampledInput[], high: SampledInput[]] {
  const resamples = Array.from({ length: RESAMPLES }, () => {
    const drawn = sample.flatMap(() => sample[drawBelow(sample.length, random)] ?? []);
    return { drawn, work: workOf(drawn) };
  }).toSorted((one, other) => one.work - other.work);
  const at = (share: number) => resamples[Math.round((RESAMPLES - 1) * share)]?.drawn ?? [];
  return [at(0.05), at(0.95)];
}

/** Milliseconds of all attempts. */
export function workOf(sample: readonly SampledInput[]): number {
  return sample.reduce((sum, { ms, attempts }) => sum + ms * attempts, 0);
}
