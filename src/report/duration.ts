const EXACT = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** A duration with its unit, such as `4.2 ms` or `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms === 0) return '0 s';
  if (ms < 1) return `${EXACT.format(ms * 1000)} µs`;
  if (ms < 1_000) return `${EXACT.format(ms)} ms`;
  if (ms < 60_000) return `${EXACT.format(ms / 1_000)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return joined(minutes, 'min', Math.floor((ms % 60_000) / 1_000), 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'min');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function joined(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;
}
