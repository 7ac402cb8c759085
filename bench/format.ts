import type { Goal } from './benchmark.ts';

export function seconds(value: number): string {
  return `${value.toFixed(value < 1 ? 3 : value < 10 ? 2 : 1)} s`;
}

export function milliseconds(value: number): string {
  return `${(value * 1_000).toFixed(0)} ms`;
}

/** Megabytes are 10^6 bytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

export function perSecond(count: number, of: string): string {
  return `${Math.round(count).toLocaleString('en')} ${of}/s`;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 2 : 1)}×`;
}

export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

export function under(value: number, limit: number, format: (value: number) => string): Goal {
  return { text: `under ${format(limit)}`, met: value < limit };
}

export function atMost(value: number, limit: number, format: (value: number) => string): Goal {
  return { text: `at most ${format(limit)}`, met: value <= limit };
}

export function atLeast(value: number, limit: number, format: (value: number) => string): Goal {
  return { text: `at least ${format(limit)}`, met: value >= limit };
}

export function micros(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} µs`;
}
