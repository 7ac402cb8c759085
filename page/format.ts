export { duration } from '../src/report/duration.ts';

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const EXACT = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const CENTS = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** A count, such as `1,000,000`. */
export function count(value: number): string {
  return NUMBER.format(value);
}

/** A rate, with three digits. */
export function perSecond(value: number): string {
  return `${value < 1000 ? EXACT.format(value) : NUMBER.format(value)}/s`;
}

/** A share of a whole, such as `12.3 %`. A part of it is never shown as none or all of it. */
export function share(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %';
  if (part === whole) return '100 %';
  const percent = Math.min(99.9, Math.max(0.1, (part / whole) * 100));
  return `${percent.toFixed(1)} %`;
}

/** A time by the reader's clock and in UTC. */
export function time(at: number): string {
  const date = new Date(at);
  return `${date.toLocaleString()} (${date.toISOString().replace('T', ' ').slice(0, 19)} UTC)`;
}

/** US dollars: cents of much, three digits of little. */
export function dollars(usd: number): string {
  return `$${usd === 0 || usd >= 1 ? CENTS.format(usd) : EXACT.format(usd)}`;
}
