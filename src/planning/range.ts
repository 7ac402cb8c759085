/** An estimate: nine of ten resamples of the sample are between `low` and `high`. */
export interface Range {
  low: number;
  likely: number;
  high: number;
}

/** The range of an estimate from its resamples. */
export function rangeOf(resamples: readonly number[]): Range {
  const sorted = resamples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return { low: at(0.05), likely: at(0.5), high: at(0.95) };
}
