import { FanfoldError } from '../index.ts';

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Parses a time such as `90s`, `30m`, `2h` or `3d`. @throws FanfoldError that names the option */
export function durationSeconds(option: string, text: string, maxDays: number): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const seconds = Number(number) * (SECONDS[unit] ?? 0);
  if (seconds > 0 && seconds <= maxDays * 86_400) return seconds;
  throw new FanfoldError(
    'BadOption',
    `${option} must be a number greater than 0 with a unit, such as 90s, 30m, 2h or 3d, and at most ${maxDays}d; got "${text}".`,
  );
}
